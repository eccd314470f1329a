"""The detector's signature and its arithmetic, with a network after twenty steps of training.

How well the whole training finds shapes is a figure of the export (docs/benchmarks.md), not of a test: it
depends on the machine in the last digits, and takes minutes.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.parts import ROOT
from tests.tfserving.scenes import one, perfect
from tfserving import export
from tfserving.models.detect import detector, training
from tfserving.models.detect.detector import GREY, LAYERS, MOST, SIDE, Detector, fitted, save
from tfserving.models.detect.learning import targets
from tfserving.models.detect.shapes import NAMES
from tfserving.runtime import tf
from tfserving.server.graph.saved import Runtime, SavedModel

LABELS = ROOT / "tfserving/labels/detectLabels.json"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The detector after a few steps of training."""
    folder = tmp_path_factory.mktemp("detect") / "1"
    save(Detector(training.train(pictures=320, rounds=1), LABELS, "float32"), folder)
    return folder


@pytest.fixture(scope="module")
def model(trained: Path) -> Iterator[SavedModel]:
    model = SavedModel(trained, Runtime())
    yield model
    model.close()


def detect(model: SavedModel, jpegs: list[bytes]) -> dict[str, Any]:
    return model.run("serving_default", {"input_tensor": np.array([*jpegs, None], object)[:-1]})


def jpeg(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", pixels)[1].tobytes()


def star(height: int, width: int) -> bytes:
    """A star in the left half of a grey picture, in a box of half its height."""
    angles = np.arange(10) * np.pi / 5
    radii = np.where(np.arange(10) % 2, 0.42, 1) * height / 4
    points = np.stack([width / 4 + radii * np.sin(angles), height / 2 - radii * np.cos(angles)], axis=1)
    picture = np.full((height, width, 3), 90, np.uint8)
    cv2.fillPoly(picture, [np.rint(points).astype(np.int32)], (40, 60, 230), cv2.LINE_AA)
    return jpeg(picture)


def test_the_signature_is_that_of_object_detection(model: SavedModel) -> None:
    fields = model.metadata()["serving_default"]

    def shape(tensor: dict[str, Any]) -> list[str]:
        return [dim["size"] for dim in tensor["tensor_shape"]["dim"]]

    assert {name: (t["dtype"], shape(t)) for name, t in fields["inputs"].items()} == {
        "input_tensor": ("DT_STRING", ["-1"])
    }
    assert {name: (t["dtype"], shape(t)) for name, t in fields["outputs"].items()} == {
        "detection_boxes": ("DT_FLOAT", ["-1", str(MOST), "4"]),
        "detection_classes": ("DT_FLOAT", ["-1", str(MOST)]),
        "detection_scores": ("DT_FLOAT", ["-1", str(MOST)]),
        "num_detections": ("DT_FLOAT", ["-1"]),
    }


def test_the_labels_are_next_to_the_model(trained: Path) -> None:
    assert (trained / "assets/detectLabels.json").read_bytes() == LABELS.read_bytes()
    assert tuple(json.loads(LABELS.read_text())) == NAMES


@pytest.mark.parametrize(("height", "width"), [(240, 240), (360, 640), (720, 1280), (200, 500), (900, 300)])
def test_a_box_surrounds_its_shape_in_pictures_of_any_proportions(
    monkeypatch: pytest.MonkeyPatch, height: int, width: int
) -> None:
    there, number = [0.25, 0.375, 0.5, 0.75], NAMES.index("star") + 1
    photo = tf.constant(jpeg(np.full((height, width, 3), 90, np.uint8)))
    cells = perfect(targets(one(there, number), fitted(photo)[1].numpy()))
    monkeypatch.setattr(detector, "grid", lambda *_: tf.constant(cells)[None])

    outputs = detector.Network({})(photo[None])

    assert outputs["num_detections"].numpy() == [1]
    assert outputs["detection_classes"][0, 0] == number
    assert outputs["detection_scores"][0, 0] > 0.9
    assert np.allclose(outputs["detection_boxes"][0, 0], there, atol=0.01)


def test_boxes_are_sorted_by_score_and_padded_with_zeros(model: SavedModel) -> None:
    outputs = detect(model, [star(300, 400), star(200, 200), jpeg(np.full((90, 90, 3), 90, np.uint8))])

    for boxes, scores, classes, count in zip(
        *(outputs[f"detection_{name}"] for name in ("boxes", "scores", "classes")),
        outputs["num_detections"].astype(int),
        strict=True,
    ):
        assert (np.diff(scores) <= 0).all()
        assert (scores[:count] > 0).all()
        assert set(classes[:count]) <= {1, 2, 3, 4}
        assert ((boxes >= 0) & (boxes <= 1)).all()
        assert not boxes[count:].any()
        assert not scores[count:].any()
        assert not classes[count:].any()


def test_pictures_in_a_batch_get_the_same_answers_as_alone(model: SavedModel) -> None:
    pictures = [star(300, 400), star(500, 500), star(240, 900)]

    together = detect(model, pictures)

    for number, picture in enumerate(pictures):
        alone = detect(model, [picture])
        assert all(np.allclose(together[name][number], alone[name][0], atol=1e-4) for name in alone)


@pytest.mark.parametrize(("height", "width"), [(160, 160), (1, 1), (1, 700), (900, 300), (128, 64)])
def test_a_picture_keeps_its_proportions_in_the_square(height: int, width: int) -> None:
    square, taken = fitted(tf.constant(jpeg(np.full((height, width, 3), 255, np.uint8))))

    rows, columns = taken.numpy().astype(int)
    assert max(rows, columns) == SIDE
    assert rows == max(round(SIDE * height / max(height, width)), 1)
    assert columns == max(round(SIDE * width / max(height, width)), 1)
    assert np.allclose(square[:rows, :columns], 255, atol=2)
    assert np.allclose(square[rows:], GREY)
    assert np.allclose(square[:, columns:], GREY)


def test_fewer_bits_make_it_smaller(tmp_path: Path) -> None:
    layers = training.train(pictures=16, rounds=1)
    assert list(layers) == [*(name for name in LAYERS if name != "head"), "head"]

    save(Detector(layers, LABELS, "float32"), tmp_path / "whole")
    save(Detector(layers, LABELS, "int8"), tmp_path / "few")

    assert export.size(tmp_path / "few") < 0.4 * export.size(tmp_path / "whole")
