"""What is asked about faces, and what the answers mean; with the real model."""

from collections.abc import Iterator
from contextlib import closing
from itertools import groupby
from typing import Any

import numpy as np
import pytest

from consumer import labels
from consumer.handlers.emonet import Emonet, EmonetOptions
from consumer.model_server.tensors import Signature, TensorInfo
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Result
from tests.consumer.fakes import a_frame
from tests.consumer.handlers.conftest import Asked, Film
from tests.parts import ROOT
from tfserving import export

LABELS = labels.load("emonet_1", str(ROOT / "tfserving/labels/emonetLabels.json"))
GREY = TensorInfo("float32", (-1, 64, 64, 1))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """The real model of emotions."""
    folder = tmp_path_factory.mktemp("emonet")
    assert export.main(["--model", "emonet", str(folder)]) == 0
    with closing(Asked(folder / "1")) as model:
        yield model


@pytest.fixture
def face(film: Film) -> Frame:
    """A frame with a face in it."""
    return film("carphone_pristine", most=1)[0]


def emonet(info: TensorInfo = GREY, **options: Any) -> Emonet:
    """Return the handler of a model with such an input."""
    signature = Signature({"images": info}, {})
    return Emonet(LABELS, EmonetOptions.model_validate(options), lambda: signature)


def sequence(model: Asked, frames: list[Frame], **options: Any) -> list[str]:
    """Return the emotion in each frame that has a face."""
    handler = Emonet(LABELS, EmonetOptions.model_validate(options), model.signature)
    found = [model.results(handler, frame) for frame in frames]
    return [results[0].label for results in found if results]


def test_faces_are_asked_about_as_floats_of_the_size_that_the_model_states(face: Frame) -> None:
    question = emonet(TensorInfo("float32", (-1, 48, 48, 1))).question(face)

    faces = question.inputs["images"]
    assert faces.shape == (1, 48, 48, 1)
    assert faces.dtype == np.float32
    assert 0 <= faces.min() < 0.3
    assert 0.6 < faces.max() <= 1
    assert (question.rows, len(question.boxes)) == (1, 1)


def test_a_size_left_open_is_64_and_three_channels_are_the_same(face: Frame) -> None:
    faces = emonet(TensorInfo("float16", (-1, -1, -1, 3))).question(face).inputs["images"]

    assert faces.shape == (1, 64, 64, 3)
    assert faces.dtype == np.float16
    assert np.array_equal(faces[..., 0], faces[..., 2])


def test_without_a_face_nothing_is_asked_and_nothing_found() -> None:
    handler = emonet()

    question = handler.question(a_frame())

    assert (question.rows, question.boxes) == (0, ())
    assert handler.results(question, {}) == ()


def test_the_likeliest_emotion_of_each_face_is_shown_with_its_box(face: Frame) -> None:
    handler = emonet()
    question = handler.question(face)

    results = handler.results(question, {"": np.array([[0.1, 0, 0, 0.7, 0, 0.1, 0.1]])})

    assert results == (Result("happy", 0.7, question.boxes[0]),)


def test_what_is_below_the_threshold_is_not_shown(face: Frame) -> None:
    handler = emonet(threshold=0.8)

    assert handler.results(handler.question(face), {"": np.array([[0.1, 0, 0, 0.7, 0, 0.1, 0.1]])}) == ()


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({}, "one output is wanted, not none"),
        ({"a": np.zeros((1, 7)), "b": np.zeros((1, 7))}, "one output is wanted, not 'a', 'b'"),
        ({"": np.zeros((1, 8))}, r"the shape \[1, 8\], not \[1, 7\]"),
        ({"": np.zeros((2, 7))}, r"the shape \[2, 7\]"),
        ({"": np.full((1, 7), np.nan)}, "no finite number"),
        ({"": np.full((1, 7), 2.0)}, "not within 0 to 1"),
        ({"": np.full((1, 7), "a")}, "not numbers"),
    ],
)
def test_nonsense_is_a_value_error_that_says_what_is_wrong(
    face: Frame, answer: dict[str, np.ndarray], text: str
) -> None:
    handler = emonet()
    question = handler.question(face)

    with pytest.raises(ValueError, match=text):
        handler.results(question, answer)


@pytest.mark.parametrize(
    "info",
    [
        TensorInfo("string", (-1,)),
        TensorInfo("uint8", (-1, 64, 64, 1)),
        TensorInfo("float32", (-1, 64, 48, 1)),
        TensorInfo("float32", (-1, 4096)),
    ],
)
def test_a_model_that_takes_no_faces_is_told(info: TensorInfo) -> None:
    with pytest.raises(ValueError, match=f"input images is {info.dtype}"):
        emonet(info).question(a_frame())


@pytest.mark.parts
def test_the_real_models_emotion_does_not_flicker(model: Asked, film: Film) -> None:
    frames = film("carphone_pristine")

    raw = sequence(model, frames, steady=0)
    steady = sequence(model, frames)

    runs = [len(list(run)) for _, run in groupby(steady)]
    assert len(steady) == len(raw) >= 0.85 * len(frames)
    assert len(list(groupby(raw))) >= 10
    assert len(runs) <= 5
    assert 1 not in runs
    assert {"fear", "surprise"} & set(steady)


@pytest.mark.parts
def test_scores_and_boxes_of_the_real_model_make_sense(model: Asked, film: Film) -> None:
    handler = Emonet(LABELS, EmonetOptions(), model.signature)

    results = [model.results(handler, frame) for frame in film("carphone_pristine", most=10)]

    for (result,) in results:
        assert result.label in LABELS
        assert 1 / 7 <= result.score <= 1
        assert result.box is not None
