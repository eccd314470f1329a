"""A replica whose model runs in a restricted process, with TensorFlow."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from tests.parts import ROOT, Service, embedded_broker, wait_for
from tests.training.inference.test_with_kafka import answered
from tests.training.job.fakes import FakeService
from training.code import Program, build

pytestmark = [pytest.mark.parts, pytest.mark.timeout(600)]

CODE = """\
class Scale(keras.layers.Layer):
    def call(self, x):
        return x / 16

model = keras.Sequential([
    keras.Input((64,)), Scale(), keras.layers.Dense(32, "relu"), keras.layers.Dense(10, "softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy")
"""
# What the Keras file answers by itself, and the same model without code of its own.
PREDICT = """\
import sys, keras, numpy as np
class Scale(keras.layers.Layer):
    def call(self, x):
        return x / 16
model = keras.models.load_model(sys.argv[1], {"Scale": Scale}, compile=False)
np.save(sys.argv[2], model.predict(np.load(sys.argv[3])))
plain = keras.Sequential([keras.Input((64,)), *model.layers[1:]])
plain.save(sys.argv[1] + ".keras")
"""
COUNT = 40
TOPICS = ("digits", "scaled", "out-1", "out-2", "out-3")


@pytest.fixture(scope="module")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with embedded_broker(tmp_path_factory.mktemp("broker"), *(f"--topic={name}:1" for name in TOPICS)) as (
        address,
        _,
    ):
        yield address


@pytest.fixture
def fake() -> Iterator[FakeService]:
    fake = FakeService()
    yield fake
    fake.close()


@pytest.fixture(scope="module")
def digits() -> Any:
    return np.random.default_rng(0).integers(0, 17, (COUNT, 64)).astype(np.uint8)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, digits: Any) -> Path:
    """A folder with a model as the job uploads it, model.h5, one without code, and what the first answers."""
    folder = tmp_path_factory.mktemp("model")
    build(Program("tf", "", CODE), folder / "model.h5")
    np.save(folder / "digits.npy", digits)
    files = [str(folder / name) for name in ("model.h5", "expected.npy", "digits.npy")]
    subprocess.run([sys.executable, "-c", PREDICT, *files], check=True, cwd=ROOT)
    return folder


def answers(bootstrap: str, topic: str) -> dict[int, list[float]]:
    """Return the values by the numbers of their messages, once all have come."""
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": "look", "log_level": 0})
    reader.assign([TopicPartition(topic, 0, 0)])
    found = dict[int, list[float]]()

    def complete() -> bool:
        for message in reader.consume(100, 0.2):
            if message.error() is None:
                each = answered(message)
                found[each.number] = each.values
        return len(found) == COUNT

    wait_for(complete, 240, "all answers")
    reader.close()
    return found


def test_a_model_with_code_of_its_own_answers_as_its_file_does(
    bootstrap: str, fake: FakeService, model: Path, digits: Any, tmp_path: Path
) -> None:
    fake.model = (model / "model.h5").read_bytes()
    environment = variables(bootstrap, fake, "out-1")
    send(bootstrap, digits)

    with Service("training.inference", environment, tmp_path) as process:
        found = answers(bootstrap, environment["OUTPUT_TOPIC"])
        process.ready()
        (restricted,) = psutil.Process(process.pid).children()
        assert "tensorflow" not in Path(f"/proc/{process.pid}/maps").read_text()
        assert "tensorflow" in Path(f"/proc/{restricted.pid}/maps").read_text()
        assert process.stop(8) == 0, process.text
        assert not restricted.is_running()

    expected = np.load(model / "expected.npy")
    np.testing.assert_allclose([found[number] for number in range(COUNT)], expected, rtol=1e-5)
    reports = [json.loads(body) for body in fake.sent("/inferences/7/progress")]
    states = [each["state"] for each in reports]
    assert "ready" in states
    assert states[-1] == "stopped"
    assert reports[-1]["answered"] == COUNT
    assert reports[0]["reason"] == "the model is being loaded"


def test_a_file_of_keras_without_code_and_a_message_that_does_not_fit(
    bootstrap: str, fake: FakeService, model: Path, digits: Any, tmp_path: Path
) -> None:
    fake.model = (model / "model.h5.keras").read_bytes()
    environment = variables(bootstrap, fake, "out-2")
    environment["INPUT_CONFIG"] = json.dumps({"data_type": "float32", "data_reshape": None})
    scaled = digits.astype(np.float32) / 16
    environment["INPUT_TOPIC"] = "scaled"
    send(bootstrap, scaled[:3, :60], "scaled", start=1000)
    send(bootstrap, scaled, "scaled")

    with Service("training.inference", environment, tmp_path) as process:
        found = answers(bootstrap, environment["OUTPUT_TOPIC"])
        assert process.metric('streamlens_inference_skipped_total{reason="model"}') == 3
        assert "have the shape 60, but the model expects 64; skipped" in process.text

    expected = np.load(model / "expected.npy")
    np.testing.assert_allclose([found[number] for number in range(COUNT)], expected, rtol=1e-5)


def test_what_is_not_a_model_is_reported(bootstrap: str, fake: FakeService, tmp_path: Path) -> None:
    fake.model = b"\x89HDF\r\n\x1a\n, but nothing else"
    environment = variables(bootstrap, fake, "out-3")

    with Service("training.inference", environment, tmp_path) as process:
        wait_for(
            lambda: any(b"trained model cannot be loaded" in body for body in reports(fake)),
            120,
            "the reason",
        )
        assert process.stop(8) == 0, process.text


def reports(fake: FakeService) -> list[bytes]:
    return fake.sent("/inferences/7/progress")


def variables(bootstrap: str, fake: FakeService, topic: str) -> dict[str, str]:
    return {
        "INPUT_BOOTSTRAP_SERVERS": bootstrap,
        "OUTPUT_BOOTSTRAP_SERVERS": bootstrap,
        "MODEL_URL": fake.url,
        "INFERENCE_URL": fake.url.replace("results", "inferences"),
        "INPUT_FORMAT": "RAW",
        "INPUT_CONFIG": json.dumps({"data_type": "uint8", "data_reshape": "8 8"}),
        "INPUT_TOPIC": "digits",
        "OUTPUT_TOPIC": topic,
        "GROUP_ID": f"group-{topic}",
    }


def send(bootstrap: str, rows: Any, topic: str = "digits", start: int = 0) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
    for number, row in enumerate(rows, start):
        producer.produce(topic, row.tobytes(), partition=0, headers=[("number", str(number).encode())])
    assert producer.flush(60) == 0
