"""Questions to any classifier, and what its scores mean."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.handlers.classify import Classify, ClassifyOptions
from consumer.handlers.handler import Question
from consumer.labels.labels import Labels
from pipeline.model_server.tensors import Signature, TensorInfo, Tensors
from pipeline.wire.picture import PictureError
from pipeline.wire.predictions import Result
from tests.consumer.fakes import PROPERTY, a_frame
from tests.consumer.handlers.conftest import coloured

LABELS = Labels(("red", "green", "blue"))
FLOATS = TensorInfo("float32", (-1, 8, 8, 3))


def classify(*inputs: TensorInfo, outputs: tuple[str, ...] = ("scores",), **options: Any) -> Classify:
    """Return the handler of a model with such inputs and outputs."""
    signature = Signature(
        {f"input_{number}": info for number, info in enumerate(inputs)},
        {name: TensorInfo("float32", (-1, 3)) for name in outputs},
    )
    return Classify(ClassifyOptions.model_validate(options), lambda: signature)


def results(answer: dict[str, Any], **options: Any) -> tuple[Result, ...]:
    """Return the results of an answer about one picture."""
    tensors = {name: np.array(value) for name, value in answer.items()}
    return classify(FLOATS, **options).results(Question(a_frame(), {}), tensors, LABELS)


def test_the_likeliest_label_is_shown() -> None:
    assert results({"": [[0.125, 0.75, 0.125]]}) == (Result("green", 0.75),)


def test_more_labels_come_in_the_order_of_their_scores() -> None:
    found = results({"": [[0.25, 0.625, 0.125]]}, top=9, threshold=0.2)

    assert found == (Result("green", 0.625), Result("red", 0.25))


def test_the_softmax_of_logits_is_shown_if_configured() -> None:
    (found,) = results({"": [[1000.0, 1000.0 + np.log(3), -2000]]}, softmax=True)

    assert found.label == "green"
    assert found.score == pytest.approx(0.75)


def test_scores_that_are_logits_are_reported_with_the_remedy() -> None:
    with pytest.raises(ValueError, match=r"found -1 to 4.5; .* the option softmax"):
        results({"": [[4.5, -1, 0.5]]})


def test_the_only_vector_of_floats_has_the_scores() -> None:
    found = results({"index": [1], "embedding": [[[0.5]]], "top": [[1, 2, 3]], "p": [[0.0, 0.25, 0.75]]})

    assert found == (Result("blue", 0.75),)


def test_of_several_vectors_the_option_names_the_scores() -> None:
    answer = {"a": [[0.0, 0.25, 0.75]], "b": [[0.5, 0.25, 0.25]]}

    assert results(answer, output="b") == (Result("red", 0.5),)
    with pytest.raises(ValueError, match=r"found 2 in the outputs 'a', 'b'; .* the option output"):
        results(answer)


def test_only_outputs_that_may_be_the_scores_are_asked_for() -> None:
    outputs = {
        "scores": TensorInfo("float32", (-1, 3)),
        "logits": TensorInfo("float16", None),
        "features": TensorInfo("float32", (-1, 7, 7, 512)),
        "names": TensorInfo("string", (-1, 3)),
    }
    signature = Signature({"images": FLOATS}, outputs)

    asked = Classify(ClassifyOptions(), lambda: signature).question(a_frame())
    named = Classify(ClassifyOptions(output="logits"), lambda: signature).question(a_frame())

    assert asked.outputs == ("scores", "logits")
    assert named.outputs == ("logits",)


def test_an_output_that_the_model_does_not_have_is_reported() -> None:
    handler = classify(FLOATS, outputs=("a", "b"), output="c")

    with pytest.raises(ValueError, match=r"output='c'.* a, b"):
        handler.question(a_frame())


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"": [[0.5, 0.5]]}, "2 classes, but LABELURLS has 3 labels"),
        ({"": [[0.5, 0.5, float("nan")]]}, "found NaN"),
        ({"": [0.5]}, "the shape"),
        ({"": [[[0.5, 0.5, 0]]]}, "the shape"),
        ({"": [["a", "b", "c"]]}, "expected numbers"),
        ({}, "found 0 in the outputs none"),
    ],
)
@pytest.mark.parametrize("softmax", [False, True])
def test_an_invalid_answer_is_a_value_error_that_says_what_is_wrong(
    answer: dict[str, Any], text: str, softmax: bool
) -> None:
    with pytest.raises(ValueError, match=text) as caught:
        results(answer, softmax=softmax)

    assert "\n" not in str(caught.value)


@PROPERTY
@given(logits=st.lists(st.integers(-(10**30), 10**30).map(float), min_size=3, max_size=3))
def test_any_logits_give_scores(logits: list[float]) -> None:
    found = results({"": [logits]}, softmax=True, top=3)

    assert sum(result.score for result in found) == pytest.approx(1)
    assert found[0].label == LABELS.names[int(np.argmax(logits))]


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        ((), "found the inputs none"),
        ((FLOATS, FLOATS), "found the inputs input_0, input_1"),
        ((TensorInfo("int64", (-1, 8, 8, 3)),), "input input_0: .* found int64"),
        ((TensorInfo("float32", (-1, 8, 8, 4)),), "expected JPEGs"),
        ((TensorInfo("float32", (-1, 8, 8)),), r"float32 of \[-1, 8, 8\]"),
        ((TensorInfo("string", (-1, 2)),), "JPEGs"),
    ],
)
def test_a_model_that_takes_no_picture_is_reported(inputs: tuple[TensorInfo, ...], text: str) -> None:
    with pytest.raises(ValueError, match=text) as caught:
        classify(*inputs).question(a_frame())

    assert not isinstance(caught.value, PictureError)


@pytest.mark.parametrize(
    ("info", "shape"),
    [
        (TensorInfo("float32", (-1, 8, 16, 3)), (1, 8, 16, 3)),
        (TensorInfo("float64", (-1, -1, -1, 3)), (1, 224, 224, 3)),
        (TensorInfo("float16", None), (1, 224, 224, 3)),
        (TensorInfo("uint8", (1, 200, -1, -1)), (1, 200, 224, 3)),
        (TensorInfo("float32", (-1, 28, 28, 1)), (1, 28, 28, 1)),
    ],
)
def test_pixels_have_the_size_of_the_models_input(info: TensorInfo, shape: tuple[int, ...]) -> None:
    tensor = classify(info).question(coloured(255, 255, 255)).inputs["input_0"]

    assert tensor.shape == shape
    assert tensor.dtype == info.dtype
    assert np.allclose(tensor.astype(float), 255 if info.dtype == "uint8" else 1, atol=0.01)


def test_anything_but_a_picture_is_a_picture_error() -> None:
    with pytest.raises(PictureError):
        classify(FLOATS).question(a_frame(jpeg=b"no picture"))


def test_tensors_of_a_batch_are_not_mixed_up() -> None:
    answer: Tensors = {"": np.array([[0.5, 0.25, 0.25], [0, 0, 1]])}

    with pytest.raises(ValueError, match="the shape"):
        classify(FLOATS).results(Question(a_frame(), {}), answer, LABELS)
