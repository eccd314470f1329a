"""Questions to a detector, and what its boxes mean."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from consumer.handlers.detect import Detect, DetectOptions
from consumer.handlers.handler import Question
from consumer.model_server.tensors import Signature, TensorInfo, Tensors
from pipeline.wire.predictions import Result
from tests.consumer.fakes import PROPERTY, a_frame
from tests.consumer.handlers.conftest import coloured

LABELS = ("person", "bicycle", "car")


def detect(dtype: str = "string", shape: tuple[int, ...] | None = (-1,), **options: Any) -> Detect:
    """Return the handler of a model with such an input."""
    signature = Signature({"input_tensor": TensorInfo(dtype, shape)}, {})
    return Detect(LABELS, DetectOptions.model_validate(options), lambda: signature)


def answer(*detections: tuple[float, float, Any], **others: Any) -> dict[str, np.ndarray]:
    """Return the answer with boxes of score and class, and other outputs."""
    boxes = [box for _, _, box in detections]
    fields = {
        "detection_scores": np.array([[score for score, _, _ in detections]], np.float32),
        "detection_classes": np.array([[kind for _, kind, _ in detections]], np.float32),
        "detection_boxes": np.array([boxes], np.float32).reshape(1, len(boxes), 4),
    }
    return {**fields, **{name: np.array(value) for name, value in others.items()}}


def results(fields: Tensors, **options: Any) -> tuple[Result, ...]:
    """Return what an answer about a frame of 64 x 48 pixels means."""
    return detect(**options).results(Question(a_frame(), {}), fields)


def labels(fields: Tensors, **options: float) -> list[str]:
    """Return the labels of what an answer means."""
    return [result.label for result in results(fields, **options)]


def test_boxes_are_in_pixels_of_the_frame() -> None:
    (found,) = results(answer((0.75, 2, [0.25, 0.5, 0.75, 1.0])))

    assert found == Result("bicycle", 0.75, (32, 12, 32, 24))


def test_the_likeliest_come_first_and_the_unlikely_not_at_all() -> None:
    whole = [0, 0, 1, 1]
    fields = answer((0.5, 1, whole), (0.9, 3, whole), (0.4, 2, whole))

    assert labels(fields) == ["car", "person"]
    assert labels(fields, threshold=0.3) == ["car", "person", "bicycle"]
    assert labels(fields, threshold=0.3, top=1) == ["car"]


def test_only_as_many_count_as_the_model_says() -> None:
    whole = [0, 0, 1, 1]
    fields = answer((0.9, 1, whole), (0.8, 99, [float("nan")] * 4), num_detections=[1.0])

    assert labels(fields) == ["person"]


def test_padding_has_no_score_and_needs_no_class() -> None:
    fields = answer((0.9, 1, [0, 0, 1, 1]), (0.0, 0, [0, 0, 0, 0]))

    assert labels(fields, threshold=0) == ["person"]


def test_other_outputs_are_ignored_and_classes_may_be_integers() -> None:
    fields = answer((0.9, 1, [0, 0, 1, 1]), raw_detection_boxes=["x"], detection_masks=[[float("nan")]])
    fields["detection_classes"] = fields["detection_classes"].astype(np.int64)

    assert labels(fields) == ["person"]


def test_boxes_are_clipped_and_empty_ones_left_out() -> None:
    overshoots, empty, inside_out = [-0.1, -0.2, 1.1, 1.3], [0.5, 0.5, 0.5, 0.9], [0.9, 0.9, 0.1, 0.1]

    found = results(answer((0.75, 1, overshoots), (0.75, 2, empty), (0.75, 2, inside_out)))

    assert found == (Result("person", 0.75, (0, 0, 64, 48)),)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (answer((1.5, 1, [0, 0, 1, 1])), "detection_scores: .* found 1.5 to 1.5"),
        (answer((float("nan"), 1, [0, 0, 1, 1])), "detection_scores: .* found NaN"),
        (answer((0.9, 1, [0, 0, 1, float("nan")])), "detection_boxes: .* found NaN"),
        (answer((0.9, 1, [0, 0, 300, 200])), "expected boxes within 0 to 1"),
        (answer((0.9, 0, [0, 0, 1, 1])), "classes 1 to 3, .* LABELURLS .* found 0"),
        (answer((0.9, 4, [0, 0, 1, 1])), "found 4"),
        (answer((0.9, 1.5, [0, 0, 1, 1])), "found 1.5"),
        (
            answer((0.9, 1, [0, 0, 1, 1]), num_detections=[2]),
            "num_detections: expected at most 1, .* found 2",
        ),
        (answer((0.9, 1, [0, 0, 1, 1]), num_detections=[-1]), "num_detections: .* found -1"),
        (
            answer((0.9, 1, [0, 0, 1, 1]), detection_boxes=[[[0, 0, 1]]]),
            "detection_boxes: expected the shape",
        ),
        (
            answer((0.9, 1, [0, 0, 1, 1]), detection_boxes=[0.5]),
            "expected as many boxes and classes as scores",
        ),
        (
            answer((0.9, 1, [0, 0, 1, 1]), detection_classes=[[]]),
            "expected as many boxes and classes as scores",
        ),
        (answer((0.9, 1, [0, 0, 1, 1]), detection_classes=[["a"]]), "expected numbers"),
        ({}, "expected an output 'detection_scores', found none"),
    ],
)
def test_an_invalid_answer_is_a_value_error_that_says_what_is_wrong(fields: Tensors, text: str) -> None:
    with pytest.raises(ValueError, match=text) as caught:
        results(fields)

    assert "\n" not in str(caught.value)


ANY = st.sampled_from(["float32", "int64", "bool", "U2"]).flatmap(
    lambda dtype: arrays.arrays(
        np.dtype(dtype), arrays.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)
    )
)
COUNT = st.integers(0, 5)
UNIT = st.floats(-1.5, 1.5, width=32)
NAMES = ["detection_boxes", "detection_classes", "detection_scores", "num_detections"]


@PROPERTY
@given(fields=st.dictionaries(st.sampled_from(NAMES), ANY))
def test_any_answer_gives_results_or_a_value_error(fields: Tensors) -> None:
    try:
        found = results(fields, threshold=0)
    except ValueError:
        return

    assert all(result.label in LABELS and 0 <= result.score <= 1 for result in found)


@PROPERTY
@given(
    detections=st.lists(
        st.tuples(st.floats(0, 1, width=32), st.integers(1, 3), st.lists(UNIT, min_size=4, max_size=4)),
        max_size=6,
    )
)
def test_every_box_lies_within_the_frame(detections: list[tuple[float, float, Any]]) -> None:
    found = results(answer(*detections), threshold=0)

    for result in found:
        assert result.box is not None
        x, y, width, height = result.box
        assert 0 <= x < x + width <= 64
        assert 0 <= y < y + height <= 48
    assert [result.score for result in found] == sorted((result.score for result in found), reverse=True)


def test_jpegs_are_sent_unchanged() -> None:
    frame = a_frame()

    question = detect().question(frame)

    assert question.inputs["input_tensor"].tolist() == [frame.jpeg]


def test_pixels_go_in_red_green_and_blue() -> None:
    question = detect("uint8", (1, -1, -1, 3), size=32).question(coloured(200, 100, 50))

    pixels = question.inputs["input_tensor"]
    assert pixels.shape == (1, 32, 32, 3)
    assert pixels.dtype == np.uint8
    assert np.abs(pixels.reshape(-1, 3) - np.array([200.0, 100, 50])).max() <= 2


def test_floats_are_scaled_as_configured() -> None:
    question = detect("float32", (-1, 20, 30, 3), scale=1 / 127.5, offset=-1).question(coloured(255, 0, 255))

    pixels = question.inputs["input_tensor"]
    assert pixels.shape == (1, 20, 30, 3)
    assert pixels.dtype == np.float32
    assert np.allclose(pixels, [1, -1, 1], atol=0.03)
