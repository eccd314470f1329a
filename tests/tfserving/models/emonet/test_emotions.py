"""The exported emotion model answers like the Keras model, and steadily on a film of a face."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

from tests.parts import ROOT
from tfserving import export
from tfserving.models import keras_weights, weights
from tfserving.models.emonet.emotions import MiniXception
from tfserving.models.precision import PRECISIONS
from tfserving.models.weights import FloatArray, WeightsError
from tfserving.server.graph.saved import Runtime, SavedModel

LABELS = ROOT / "tfserving/labels/emonetLabels.json"


@pytest.fixture(scope="module")
def source() -> Path:
    return weights.locate(keras_weights.PACKAGE, keras_weights.SUFFIX)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The exported model in each precision."""
    base = tmp_path_factory.mktemp("emonet")
    for precision in PRECISIONS:
        assert export.main([str(base / precision), "--model=emonet", f"--precision={precision}"]) == 0
    return {precision: base / precision / "1" for precision in PRECISIONS}


@pytest.fixture(scope="module")
def model(folders: dict[str, Path]) -> Iterator[SavedModel]:
    model = SavedModel(folders["float32"], Runtime())
    yield model
    model.close()


@pytest.fixture(scope="module")
def faces(frames: Callable[..., list[bytes]]) -> FloatArray:
    """Faces of a film as the model takes them: [count, 64, 64, 1], 0..1."""
    finder = cv2.CascadeClassifier(
        str(Path(cv2.__file__).parent / "data/haarcascade_frontalface_default.xml")
    )
    faces = []
    for jpeg in frames("carphone_pristine", step=5):
        grey = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert grey is not None
        for x, y, width, height in finder.detectMultiScale(grey, 1.1, 5, minSize=(40, 40)):
            faces.append(cv2.resize(grey[y : y + height, x : x + width], (64, 64)))
    return np.array(faces, np.float32)[..., None] / np.float32(255)


def recognise(model: SavedModel, images: FloatArray) -> FloatArray:
    return np.asarray(model.run("serving_default", {"images": images})["probabilities"], np.float32)


def test_the_signature_takes_grey_faces(model: SavedModel) -> None:
    fields = model.metadata()["serving_default"]

    sizes = [dim["size"] for dim in fields["inputs"]["images"]["tensor_shape"]["dim"]]
    assert sizes == ["-1", "64", "64", "1"]
    assert fields["inputs"]["images"]["dtype"] == "DT_FLOAT"
    assert list(fields["outputs"]) == ["probabilities"]


def test_the_labels_are_next_to_the_model(folders: dict[str, Path]) -> None:
    names = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]

    for folder in folders.values():
        assert json.loads((folder / "assets/emonetLabels.json").read_text()) == names


def test_the_answers_match_the_keras_model(model: SavedModel, source: Path) -> None:
    images = np.random.default_rng(0).random((16, 64, 64, 1), np.float32)
    original = keras.models.load_model(source, compile=False)

    probabilities = recognise(model, images)

    assert probabilities.shape == (16, 7)
    # The package's own scaling: -1..1.
    assert np.allclose(probabilities, original([(images - 0.5) * 2]), atol=1e-5)


def test_a_face_has_the_same_emotion_throughout(model: SavedModel, faces: FloatArray) -> None:
    names = json.loads(LABELS.read_text())

    probabilities = recognise(model, faces)

    # A man who talks with raised brows and open eyes.
    seen = [names[number] for number in probabilities.argmax(axis=1)]
    assert len(faces) >= 10
    assert set(seen) <= {"fear", "surprise"}
    assert probabilities.std(axis=0).max() < 0.2
    assert probabilities[:, names.index("happy")].max() < 0.2


def test_fewer_bits_make_it_smaller_and_change_little(folders: dict[str, Path], faces: FloatArray) -> None:
    answers = {}
    for precision, folder in folders.items():
        model = SavedModel(folder, Runtime())
        answers[precision] = recognise(model, faces)
        model.close()

    sizes = [export.size(folders[precision]) for precision in PRECISIONS]
    assert sizes[1] < 0.65 * sizes[0]
    assert sizes[2] < 0.45 * sizes[0]
    assert 0 < np.abs(answers["float16"] - answers["float32"]).max() < 0.005
    assert 0 < np.abs(answers["int8"] - answers["float32"]).max() < 0.1


def test_a_missing_tensor_is_named(source: Path) -> None:
    tensors = keras_weights.read(source)
    del tensors["separable_conv2d_5/pointwise_kernel"]

    with pytest.raises(WeightsError, match="'separable_conv2d_5/pointwise_kernel'"):
        MiniXception(tensors)
