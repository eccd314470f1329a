"""The handlers with real models, which run in this process with TensorFlow."""

from collections.abc import Iterator
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from consumer.handlers.classify import Classify, ClassifyOptions
from consumer.handlers.emonet import Emonet, EmonetOptions
from consumer.handlers.handler import Handler
from consumer.handlers.imagenet import Imagenet, ImagenetOptions
from consumer.labels import sources
from consumer.labels.labels import Labels
from pipeline.model_server.tensors import Signature, TensorInfo
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Result
from tests.consumer.handlers.conftest import Film, coloured
from tests.parts import ROOT
from tfserving import export
from tfserving.server.graph.saved import Runtime, SavedModel

COLOURS = Labels(("red", "green", "blue"))
DTYPES = {"DT_STRING": "string", "DT_UINT8": "uint8", "DT_FLOAT": "float32"}
EMOTIONS = sources.source("emonet_1", str(ROOT / "tfserving/labels/emonetLabels.json"))()


class Asked:
    """A SavedModel, loaded as a model server does."""

    def __init__(self, folder: Path) -> None:
        self._model = SavedModel(folder, Runtime())

    def signature(self) -> Signature:
        """Return its signature, as a server reports it."""
        definition = self._model.metadata()["serving_default"]
        inputs, outputs = (
            {
                name: TensorInfo(
                    DTYPES[info["dtype"]], tuple(int(dim["size"]) for dim in info["tensor_shape"]["dim"])
                )
                for name, info in definition[side].items()
            }
            for side in ("inputs", "outputs")
        )
        return Signature(inputs, outputs)

    def results(self, handler: Handler[Any], frame: Frame, labels: Labels) -> tuple[Result, ...]:
        """Return a handler's results for its answer about a frame."""
        question = handler.question(frame)
        if not question.rows:
            return ()
        answer = self._model.run("serving_default", question.inputs)
        return handler.results(question, answer, labels)

    def close(self) -> None:
        """Free the graph."""
        self._model.close()


@pytest.fixture(scope="module")
def emotions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """The real model of emotions."""
    folder = tmp_path_factory.mktemp("emonet")
    assert export.main(["--model", "emonet", str(folder)]) == 0
    with closing(Asked(folder / "1")) as model:
        yield model


def sequence(model: Asked, frames: list[Frame], **options: Any) -> list[str]:
    """Return the emotion in each frame that has a face."""
    handler = Emonet(EmonetOptions.model_validate(options), model.signature)
    found = [model.results(handler, frame, EMOTIONS) for frame in frames]
    return [results[0].label for results in found if results]


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


@pytest.mark.parametrize("kind", ["pixels_model", "jpegs_model"])
@pytest.mark.parametrize(
    ("colour", "label"), [((250, 20, 10), "red"), ((0, 255, 60), "green"), ((40, 40, 200), "blue")]
)
def test_a_users_own_model_works_without_code(
    kind: str, colour: tuple[int, int, int], label: str, request: pytest.FixtureRequest
) -> None:
    model: Asked = request.getfixturevalue(kind)
    handler = Classify(ClassifyOptions(), model.signature)

    (found,) = model.results(handler, coloured(*colour), COLOURS)

    assert found.label == label
    assert found.score > 0.75


def test_pixels_are_scaled_as_keras_does(pixels_model: Asked) -> None:
    handler = Classify(ClassifyOptions(top=3, scale=2 / 255, offset=-1), pixels_model.signature)

    found = pixels_model.results(handler, coloured(255, 0, 0), COLOURS)

    powers = np.exp([8.0, -8, -8])
    assert found[0].score == pytest.approx(powers[0] / powers.sum(), abs=1e-3)


def test_the_real_models_emotion_does_not_flicker(emotions: Asked, film: Film) -> None:
    frames = film("carphone_pristine")

    raw = sequence(emotions, frames, steady=0)
    steady = sequence(emotions, frames)

    runs = [len(list(run)) for _, run in groupby(steady)]
    assert len(steady) == len(raw) >= 0.85 * len(frames)
    assert len(list(groupby(raw))) >= 10
    assert len(runs) <= 5
    assert 1 not in runs
    assert {"fear", "surprise"} & set(steady)


def test_scores_and_boxes_of_the_real_model_make_sense(emotions: Asked, film: Film) -> None:
    handler = Emonet(EmonetOptions(), emotions.signature)

    results = [emotions.results(handler, frame, EMOTIONS) for frame in film("carphone_pristine", most=10)]

    for (result,) in results:
        assert result.label in EMOTIONS.names
        assert 1 / 7 <= result.score <= 1
        assert result.box is not None


def test_the_imagenet_model_recognizes_bikes(model_folder: Path, film: Film) -> None:
    names = sources.source("imagenet_1", str(ROOT / "tfserving/labels/imagenetLabels.json"))()
    with closing(Asked(next(model_folder.glob("[0-9]*")))) as model:
        handler = Imagenet(ImagenetOptions(top=5), model.signature)
        first, *others = model.results(handler, film("bikes", most=126)[-1], names)

    assert first.label == "unicycle"
    assert len(others) == 4
    scores = [first.score, *(result.score for result in others)]
    assert scores == sorted(scores, reverse=True)
