"""What is asked of any classifier, and what its scores mean; with models that Keras exports."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.handlers.classify import Classify, ClassifyOptions
from consumer.handlers.handler import Question
from consumer.model_server.tensors import Signature, TensorInfo, Tensors
from pipeline.wire.picture import PictureError
from pipeline.wire.predictions import Result
from tests.consumer.fakes import PROPERTY, a_frame
from tests.consumer.handlers.conftest import Asked, coloured

LABELS = ("red", "green", "blue")
FLOATS = TensorInfo("float32", (-1, 8, 8, 3))


def classify(*inputs: TensorInfo, outputs: tuple[str, ...] = ("scores",), **options: Any) -> Classify:
    """Return the handler of a model with such inputs and outputs."""
    signature = Signature(
        {f"input_{number}": info for number, info in enumerate(inputs)},
        {name: TensorInfo("float32", (-1, 3)) for name in outputs},
    )
    return Classify(LABELS, ClassifyOptions.model_validate(options), lambda: signature)


def results(answer: dict[str, Any], **options: Any) -> tuple[Result, ...]:
    """Return what an answer about one picture means."""
    tensors = {name: np.array(value) for name, value in answer.items()}
    return classify(FLOATS, **options).results(Question(a_frame(), {}), tensors)


def test_the_likeliest_label_is_shown() -> None:
    assert results({"": [[0.125, 0.75, 0.125]]}) == (Result("green", 0.75),)


def test_more_labels_come_in_the_order_of_their_scores() -> None:
    found = results({"": [[0.25, 0.625, 0.125]]}, top=9, threshold=0.2)

    assert found == (Result("green", 0.625), Result("red", 0.25))


def test_the_softmax_of_logits_is_shown_where_it_is_asked_for() -> None:
    (found,) = results({"": [[1000.0, 1000.0 + np.log(3), -2000]]}, softmax=True)

    assert found.label == "green"
    assert found.score == pytest.approx(0.75)


def test_logits_are_told_and_what_mends_it() -> None:
    with pytest.raises(ValueError, match=r"-1 to 4.5, not within 0 to 1; .* the option softmax"):
        results({"": [[4.5, -1, 0.5]]})


def test_the_only_vector_of_floats_has_the_scores() -> None:
    found = results({"index": [1], "embedding": [[[0.5]]], "top": [[1, 2, 3]], "p": [[0.0, 0.25, 0.75]]})

    assert found == (Result("blue", 0.75),)


def test_of_several_vectors_the_option_names_the_scores() -> None:
    answer = {"a": [[0.0, 0.25, 0.75]], "b": [[0.5, 0.25, 0.25]]}

    assert results(answer, output="b") == (Result("red", 0.5),)
    with pytest.raises(ValueError, match=r"2 of the outputs 'a', 'b' are .* the option output"):
        results(answer)


def test_an_output_that_the_model_does_not_have_is_told_when_it_is_asked() -> None:
    handler = classify(FLOATS, outputs=("a", "b"), output="c")

    with pytest.raises(ValueError, match="the option output is 'c', and the model's outputs are a, b"):
        handler.question(a_frame())


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"": [[0.5, 0.5]]}, "2 scores, and 3 labels in LABELURLS"),
        ({"": [[0.5, 0.5, float("nan")]]}, "no finite number"),
        ({"": [0.5]}, "the shape"),
        ({"": [[[0.5, 0.5, 0]]]}, "the shape"),
        ({"": [["a", "b", "c"]]}, "not numbers"),
        ({}, "0 of the outputs none"),
    ],
)
@pytest.mark.parametrize("softmax", [False, True])
def test_nonsense_is_a_value_error_that_says_what_is_wrong(
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
    assert found[0].label == LABELS[int(np.argmax(logits))]


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        ((), "the model's inputs are none"),
        ((FLOATS, FLOATS), "the model's inputs are input_0, input_1"),
        ((TensorInfo("int64", (-1, 8, 8, 3)),), "input_0 is int64"),
        ((TensorInfo("float32", (-1, 8, 8, 4)),), "are wanted"),
        ((TensorInfo("float32", (-1, 8, 8)),), r"float32 of \[-1, 8, 8\]"),
        ((TensorInfo("string", (-1, 2)),), "JPEGs"),
    ],
)
def test_what_takes_no_picture_is_told_when_it_is_asked(inputs: tuple[TensorInfo, ...], text: str) -> None:
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
def test_pixels_have_the_size_that_the_model_states(info: TensorInfo, shape: tuple[int, ...]) -> None:
    tensor = classify(info).question(coloured(255, 255, 255)).inputs["input_0"]

    assert tensor.shape == shape
    assert tensor.dtype == info.dtype
    assert np.allclose(tensor.astype(float), 255 if info.dtype == "uint8" else 1, atol=0.01)


def test_what_is_no_picture_is_a_picture_error() -> None:
    with pytest.raises(PictureError):
        classify(FLOATS).question(a_frame(jpeg=b"no picture"))


def means_of_colours(keras: Any, *first: Any) -> Any:
    """Return a small model whose scores are each colour's share of the light."""
    layers = [
        *first,
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(3, use_bias=False, activation="softmax"),
    ]
    model = keras.Sequential(layers)
    model.layers[-1].set_weights([8 * np.eye(3, dtype=np.float32)])
    return model


@pytest.fixture(scope="module")
def pixels_model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """A classifier that takes floats in 0..1, as `model.export` writes it."""
    from tfserving.runtime import tf

    folder = tmp_path_factory.mktemp("pixels") / "1"
    means_of_colours(tf.keras, tf.keras.Input((32, 48, 3))).export(str(folder), verbose=False)
    with closing(Asked(folder)) as model:
        yield model


@pytest.fixture(scope="module")
def jpegs_model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """A classifier that takes JPEGs, as an endpoint of Keras' `ExportArchive`."""
    from tfserving.runtime import tf

    network = means_of_colours(tf.keras, tf.keras.Input((None, None, 3)))

    def read(jpeg: Any) -> Any:
        return tf.image.resize(tf.io.decode_jpeg(jpeg, channels=3), (32, 32)) / 255

    def classify_jpegs(jpegs: Any) -> Any:
        return network(tf.map_fn(read, jpegs, fn_output_signature=tf.float32))

    folder = tmp_path_factory.mktemp("jpegs") / "1"
    archive = tf.keras.export.ExportArchive()
    archive.track(network)
    archive.add_endpoint("serve", classify_jpegs, [tf.TensorSpec([None], tf.string, "jpegs")])
    archive.write_out(str(folder), verbose=False)
    with closing(Asked(folder)) as model:
        yield model


@pytest.mark.parts
@pytest.mark.parametrize("kind", ["pixels_model", "jpegs_model"])
@pytest.mark.parametrize(
    ("colour", "label"), [((250, 20, 10), "red"), ((0, 255, 60), "green"), ((40, 40, 200), "blue")]
)
def test_a_model_of_ones_own_works_without_code(
    kind: str, colour: tuple[int, int, int], label: str, request: pytest.FixtureRequest
) -> None:
    model: Asked = request.getfixturevalue(kind)
    handler = Classify(LABELS, ClassifyOptions(), model.signature)

    (found,) = model.results(handler, coloured(*colour))

    assert found.label == label
    assert found.score > 0.75


@pytest.mark.parts
def test_pixels_are_scaled_as_keras_does(pixels_model: Asked) -> None:
    handler = Classify(LABELS, ClassifyOptions(top=3, scale=2 / 255, offset=-1), pixels_model.signature)

    found = pixels_model.results(handler, coloured(255, 0, 0))

    powers = np.exp([8.0, -8, -8])
    assert found[0].score == pytest.approx(powers[0] / powers.sum(), abs=1e-3)


def test_tensors_of_a_batch_are_not_mixed_up() -> None:
    answer: Tensors = {"": np.array([[0.5, 0.25, 0.25], [0, 0, 1]])}

    with pytest.raises(ValueError, match="the shape"):
        classify(FLOATS).results(Question(a_frame(), {}), answer)
