"""Questions to an ImageNet classifier, and what its answers mean."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pydantic import ValidationError

from consumer.handlers.handler import Question
from consumer.handlers.imagenet import Imagenet, ImagenetOptions
from consumer.labels.labels import Labels
from pipeline.model_server.tensors import Signature, Tensors
from pipeline.wire.predictions import Result
from tests.consumer.fakes import PROPERTY, a_frame

LABELS = Labels(("tench", "goldfish", "shark"))


def unasked() -> Signature:
    """Stand in for a server that must not be asked for the signature."""
    raise AssertionError("the signature is known")


def results(classes: Any, probabilities: Any, **options: float) -> tuple[Result, ...]:
    """Return the results of an answer about one picture."""
    handler = Imagenet(ImagenetOptions.model_validate(options), unasked)
    answer: Tensors = {"classes": np.array([classes]), "probabilities": np.array([probabilities])}
    return handler.results(handler.question(a_frame()), answer, LABELS)


@PROPERTY
@given(jpeg=st.binary(max_size=300))
def test_the_jpeg_travels_byte_for_byte(jpeg: bytes) -> None:
    question = Imagenet(ImagenetOptions(), unasked).question(a_frame(jpeg=jpeg))

    assert list(question.inputs) == ["image_bytes"]
    assert question.inputs["image_bytes"].dtype == object
    assert question.inputs["image_bytes"].tolist() == [jpeg]
    assert (question.rows, question.boxes) == (1, ())


@pytest.mark.parametrize(("number", "label"), [(1, "tench"), (2, "goldfish"), (3, "shark")])
def test_the_label_of_a_class_is_the_one_before_it(number: int, label: str) -> None:
    probabilities = [0.01, 0.02, 0.03, 0.04]
    probabilities[number] = 0.93

    assert results(number, probabilities) == (Result(label, 0.93),)


def test_the_background_is_no_result() -> None:
    assert results(0, [0.9, 0.1, 0, 0], top=3) == ()


def test_further_labels_come_in_the_order_of_their_scores_without_the_background() -> None:
    found = results(2, [0.3, 0.1, 0.4, 0.2], top=5)

    assert found == (Result("goldfish", 0.4), Result("shark", 0.2), Result("tench", 0.1))


def test_the_class_comes_first_whatever_the_scores() -> None:
    assert results(1, [0, 0.2, 0.5, 0.3], top=2) == (Result("tench", 0.2), Result("goldfish", 0.5))


def test_what_is_below_the_threshold_is_not_shown() -> None:
    assert results(2, [0, 0.25, 0.5, 0.25], top=3, threshold=0.3) == (Result("goldfish", 0.5),)
    assert results(2, [0, 0.25, 0.5, 0.25], threshold=0.6) == ()


def test_scores_may_all_be_integers_as_json_has_them() -> None:
    assert results(3, [0, 0, 0, 1]) == (Result("shark", 1.0),)


@pytest.mark.parametrize(
    ("classes", "probabilities", "text"),
    [
        (4, [0, 0, 0, 1], "the classes: expected 0 to 3, .* found 4"),
        (-1, [0, 0, 0, 1], "found -1"),
        (10**15, [0, 0, 0, 1], "found 1000000000000000"),
        (1, [0], "0 classes besides the background, but LABELURLS has 3 labels"),
        (1, [], "-1 classes"),
        (1, [0, 0, 1], "2 classes besides .* 3 labels; if the first one is the background's"),
        (1, [0, 0, 0, 0, 1], "4 classes besides the background, but LABELURLS has 3 labels"),
        (1, [0, 1.5, 0, 0], "expected 0 to 1, found 0 to 1.5"),
        (1, [0, -0.5, 0, 0], "found -0.5 to 0"),
        (1, [0, float("nan"), 0, 0], "found NaN"),
        (1, [0, float("inf"), 0, 0], "found NaN"),
        (1.0, [0, 1, 0, 0], "found float64"),
        ("a", [0, 1, 0, 0], "expected one integer"),
        ([1, 2], [0, 1, 0, 0], "expected one integer"),
        (1, ["a", "b", "c", "d"], "expected numbers"),
        (1, [[0.5], [0.5]], "the shape"),
        (1, 0.9, "the shape"),
    ],
)
def test_an_invalid_answer_is_a_value_error_that_says_what_is_wrong(
    classes: Any, probabilities: Any, text: str
) -> None:
    with pytest.raises(ValueError, match=text) as caught:
        results(classes, probabilities)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("answer", [{}, {"": np.array([1])}, {"classes": np.array([1])}])
def test_a_missing_output_is_named(answer: Tensors) -> None:
    with pytest.raises(ValueError, match=r"expected an output '(classes|probabilities)', found"):
        Imagenet(ImagenetOptions(), unasked).results(Question(a_frame(), {}), answer, LABELS)


ANY = st.sampled_from(["int64", "float32", "float16", "bool", "uint8", "U3"]).flatmap(
    lambda dtype: arrays.arrays(
        np.dtype(dtype), arrays.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5)
    )
)


@PROPERTY
@given(answer=st.dictionaries(st.sampled_from(["classes", "probabilities", ""]), ANY))
def test_any_answer_gives_results_or_a_value_error(answer: Tensors) -> None:
    handler = Imagenet(ImagenetOptions(top=3), unasked)

    try:
        found = handler.results(Question(a_frame(), {}), answer, LABELS)
    except ValueError:
        return

    assert len(found) <= 3
    assert all(result.label in LABELS.names and 0 <= result.score <= 1 for result in found)


@pytest.mark.parametrize("options", [{"top": 0}, {"top": "many"}, {"threshold": 1.5}, {"tops": 2}])
def test_options_have_bounds(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ImagenetOptions.model_validate(options)
