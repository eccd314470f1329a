"""Questions about faces, and what the answers mean."""

from typing import Any

import numpy as np
import pytest

from consumer.handlers.emonet import Emonet, EmonetOptions
from consumer.labels.labels import Labels
from pipeline.model_server.tensors import Signature, TensorInfo
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Result
from tests.consumer.fakes import a_frame
from tests.consumer.handlers.conftest import Film

LABELS = Labels(("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"))
GREY = TensorInfo("float32", (-1, 64, 64, 1))


@pytest.fixture
def face(film: Film) -> Frame:
    """A frame with a face in it."""
    return film("carphone_pristine", most=1)[0]


def emonet(info: TensorInfo = GREY, **options: Any) -> Emonet:
    """Return the handler of a model with such an input."""
    signature = Signature({"images": info}, {})
    return Emonet(EmonetOptions.model_validate(options), lambda: signature)


def test_faces_are_floats_of_the_size_of_the_models_input(face: Frame) -> None:
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


def test_without_a_face_nothing_is_asked() -> None:
    handler = emonet()

    question = handler.question(a_frame())

    assert (question.rows, question.boxes) == (0, ())


def test_the_likeliest_emotion_of_each_face_is_shown_with_its_box(face: Frame) -> None:
    handler = emonet()
    question = handler.question(face)

    results = handler.results(question, {"": np.array([[0.1, 0, 0, 0.7, 0, 0.1, 0.1]])}, LABELS)

    assert results == (Result("happy", 0.7, question.boxes[0]),)


def test_what_is_below_the_threshold_is_not_shown(face: Frame) -> None:
    handler = emonet(threshold=0.8)

    assert (
        handler.results(handler.question(face), {"": np.array([[0.1, 0, 0, 0.7, 0, 0.1, 0.1]])}, LABELS) == ()
    )


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({}, "expected one output, found none"),
        ({"a": np.zeros((1, 7)), "b": np.zeros((1, 7))}, "expected one output, found 'a', 'b'"),
        ({"": np.zeros((1, 8))}, "8 classes, but LABELURLS has 7 labels"),
        ({"": np.zeros((2, 7))}, r"found \[2, 7\]"),
        ({"": np.full((1, 7), np.nan)}, "found NaN"),
        ({"": np.full((1, 7), 2.0)}, "expected 0 to 1, found 2"),
        ({"": np.full((1, 7), "a")}, "expected numbers"),
    ],
)
def test_an_invalid_answer_is_a_value_error_that_says_what_is_wrong(
    face: Frame, answer: dict[str, np.ndarray], text: str
) -> None:
    handler = emonet()
    question = handler.question(face)

    with pytest.raises(ValueError, match=text):
        handler.results(question, answer, LABELS)


@pytest.mark.parametrize(
    "info",
    [
        TensorInfo("string", (-1,)),
        TensorInfo("uint8", (-1, 64, 64, 1)),
        TensorInfo("float32", (-1, 64, 48, 1)),
        TensorInfo("float32", (-1, 4096)),
    ],
)
def test_a_model_that_takes_no_faces_is_reported(info: TensorInfo) -> None:
    with pytest.raises(ValueError, match=f"input images: expected .* found {info.dtype}"):
        emonet(info).question(a_frame())
