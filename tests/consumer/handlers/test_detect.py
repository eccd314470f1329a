"""Questions to a detector, and what its boxes mean."""

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from consumer.handlers.detect import Detect, DetectOptions
from consumer.handlers.handler import NothingValidError, Question
from consumer.labels.labels import Labels
from pipeline.model_server.tensors import Signature, TensorInfo, Tensors
from pipeline.wire.predictions import Result
from tests.consumer.fakes import PROPERTY, a_frame
from tests.consumer.handlers.conftest import coloured

LABELS = Labels(("person", "bicycle", "car"))


def detect(dtype: str = "string", shape: tuple[int, ...] | None = (-1,), **options: Any) -> Detect:
    """Return the handler of a model with such an input."""
    signature = Signature({"input_tensor": TensorInfo(dtype, shape)}, {})
    return Detect(DetectOptions.model_validate(options), lambda: signature)


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
    return detect(**options).results(Question(a_frame(), {}), fields, LABELS)


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


NAN = float("nan")
BAD = [
    ((1.5, 1, [0, 0, 1, 1]), "a score of 0 to 1, found 1.5"),
    ((NAN, 1, [0, 0, 1, 1]), "a score of 0 to 1, found nan"),
    ((0.9, 1, [0, 0, 1, NAN]), "a box within 0 to 1, found .*nan"),
    ((0.9, 1, [0.5, 0.5, 0.1, 0.9]), "a box as ymin, xmin, ymax, xmax"),
    ((0.9, 1, [0, 0, 300, 200]), "a box within 0 to 1, found .*300"),
    ((0.9, 0, [0, 0, 1, 1]), "no label for class 0"),
    ((0.9, 4, [0, 0, 1, 1]), "no label for class 4"),
    ((0.9, 1.5, [0, 0, 1, 1]), "no label for class 1.5"),
    ((0.9, NAN, [0, 0, 1, 1]), "no label for class nan"),
    ((0.9, float("inf"), [0, 0, 1, 1]), "no label for class inf"),
]


@pytest.mark.parametrize(("bad", "text"), BAD)
def test_a_detection_that_makes_no_sense_is_left_out_and_reported(bad: Any, text: str) -> None:
    reports: list[str] = []
    handler = detect(threshold=0)
    handler.report = reports.append
    whole = [0, 0, 1, 1]

    found = handler.results(Question(a_frame(), {}), answer((0.8, 2, whole), bad, (0.7, 3, whole)), LABELS)

    assert [result.label for result in found] == ["bicycle", "car"]
    assert len(reports) == 1
    assert re.search(text, reports[0])


@pytest.mark.parametrize(("bad", "text"), BAD)
def test_an_answer_without_a_valid_detection_is_an_error(bad: Any, text: str) -> None:
    with pytest.raises(NothingValidError, match=f"all detections are left out: .*{text}"):
        results(answer(bad, bad), threshold=0)


def test_a_valid_detection_outside_the_frame_is_no_error() -> None:
    assert results(answer((0.9, 1, [1.1, 1.1, 1.2, 1.2]), (0.8, 99, [0, 0, 1, 1]))) == ()


NOTHING = [
    answer(),
    answer(num_detections=[0.0]),
    {name: np.array([[]]) for name in ("detection_scores", "detection_classes", "detection_boxes")},
    {name: np.array([]) for name in ("detection_scores", "detection_classes", "detection_boxes")},
    answer((0.9, 1, [0, 0, 1, 1]), num_detections=[0]),
    answer((0.0, 0, [0, 0, 0, 0])),
]


@pytest.mark.parametrize("fields", NOTHING)
def test_nothing_found_is_an_answer(fields: Tensors) -> None:
    assert results(fields) == ()


def test_numbers_in_the_label_file_are_the_class_numbers() -> None:
    whole = [0, 0, 1, 1]
    coco = Labels(("person", "car", "toothbrush"), (1, 3, 90))

    found = detect().results(
        Question(a_frame(), {}), answer((0.9, 90, whole), (0.8, 1, whole), (0.7, 3, whole)), coco
    )

    assert [result.label for result in found] == ["toothbrush", "person", "car"]


def test_a_model_that_counts_from_0_needs_an_option() -> None:
    fields = answer((0.9, 0, [0, 0, 1, 1]))

    (found,) = detect(first=0).results(Question(a_frame(), {}), fields, LABELS)

    assert found.label == "person"
    with pytest.raises(ValueError, match="option first to 0"):
        detect().results(Question(a_frame(), {}), fields, Labels(LABELS.names, (0, 1, 2)))


def test_the_labels_must_be_as_many_as_the_models_other_outputs_show() -> None:
    raw = {"raw_detection_scores": TensorInfo("float32", (1, 51150, 91))}
    signature = Signature({"input_tensor": TensorInfo("uint8", (1, -1, -1, 3))}, raw)
    handler = Detect(DetectOptions(), lambda: signature)
    question = handler.question(coloured(1, 2, 3))
    fields = answer((0.9, 90, [0, 0, 1, 1]))
    names = tuple(f"class {number}" for number in range(1, 91))

    (found,) = handler.results(question, fields, Labels(names))

    assert found.label == "class 90"
    assert handler.results(question, fields, Labels(("???", *names)))[0].label == "class 90"
    with pytest.raises(ValueError, match="90 or 91 classes, but LABELURLS has labels for 80"):
        handler.results(question, fields, Labels(names[:80]))


def test_boxes_are_clipped_and_empty_ones_left_out() -> None:
    overshoots, empty, inside_out = [-0.1, -0.2, 1.1, 1.3], [0.5, 0.5, 0.5, 0.9], [0.9, 0.9, 0.1, 0.1]

    found = results(answer((0.75, 1, overshoots), (0.75, 2, empty), (0.75, 2, inside_out)))

    assert found == (Result("person", 0.75, (0, 0, 64, 48)),)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (
            answer((0.9, 1, [0, 0, 1, 1]), num_detections=[2]),
            "num_detections: expected at most 1, .* found 2",
        ),
        (answer((0.9, 1, [0, 0, 1, 1]), num_detections=[-1]), "num_detections: .* found -1"),
        (
            answer((0.9, 1, [0, 0, 1, 1]), detection_boxes=[[[0, 0, 1]]]),
            "detection_boxes: expected the shape",
        ),
        (answer((0.9, 1, [0, 0, 1, 1]), detection_boxes=[0.5]), "detection_boxes: expected the shape"),
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

    assert all(result.label in LABELS.names and 0 <= result.score <= 1 for result in found)


@PROPERTY
@given(
    detections=st.lists(
        st.tuples(st.floats(0, 1, width=32), st.integers(1, 3), st.lists(UNIT, min_size=4, max_size=4)),
        max_size=6,
    )
)
def test_every_box_lies_within_the_frame(detections: list[tuple[float, float, Any]]) -> None:
    try:
        found = results(answer(*detections), threshold=0)
    except NothingValidError:
        return

    for result in found:
        assert result.box is not None
        x, y, width, height = result.box
        assert 0 <= x < x + width <= 64
        assert 0 <= y < y + height <= 48
    assert [result.score for result in found] == sorted((result.score for result in found), reverse=True)


def test_of_a_detectors_many_outputs_only_those_that_are_used_are_asked_for() -> None:
    names = ("raw_detection_boxes", "detection_scores", "detection_boxes", "detection_classes", "anchors")
    outputs = {name: TensorInfo("float32", None) for name in names}
    handler = Detect(DetectOptions(), lambda: Signature({"input": TensorInfo("string", (-1,))}, outputs))

    question = handler.question(a_frame())

    assert question.outputs == ("detection_boxes", "detection_scores", "detection_classes")


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
