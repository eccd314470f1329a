"""A whole training of a chain as processes: Kafka, the job, and its restricted process, killed once."""

import json
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import psutil
import pytest
from confluent_kafka import Producer

from tests.parts import Process, embedded_broker, wait_for
from tests.training.job.fakes import FakeService, form_parts
from training.code import Program, build
from training.control.message import ControlMessage, compose
from training.data.ranges import Range
from training.example.digits import digits

pytestmark = [pytest.mark.parts, pytest.mark.timeout(900)]

COUNT, EPOCHS = 1500, 12
EDGE = """\
pixels = keras.Input((8, 8), name="x")
inner = keras.layers.Dense(16, "relu")(keras.layers.Flatten()(keras.layers.Rescaling(1 / 16)(pixels)))
keras.Model(pixels, [inner, keras.layers.Dense(10, "softmax")(inner)], name="model")"""
CLOUD = """\
given = keras.Input((16,), name="x")
inner = keras.layers.Dense(64, "relu")(given)
model = keras.Model(given, keras.layers.Dense(10, "softmax")(inner), name="model")
"""


class Chain(FakeService):
    """The training service with two results, 8 and 7, each with its untrained model."""

    def __init__(self, models: dict[str, bytes]) -> None:
        self.models = models
        super().__init__()

    @property
    def model(self) -> bytes:
        """The answer to the newest request."""
        return self.models.get(self.requests[-1][1], b"{}") if self.requests else b""

    @model.setter
    def model(self, _: bytes) -> None:
        pass


@pytest.fixture(scope="module")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with embedded_broker(tmp_path_factory.mktemp("broker")) as (address, _):
        yield address


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[Chain]:
    models = {}
    for result, code in ((8, EDGE), (7, CLOUD)):
        file = tmp_path / f"{result}.h5"
        build(Program("tf", "", code, distributed=True), file)
        models[f"/results/{result}"] = file.read_bytes()
    fake = Chain(models)
    yield fake
    fake.close()


def send(bootstrap: str, topic: str, control: str) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
    for digit in digits()[:COUNT]:
        producer.produce(topic, digit.pixels, bytes([digit.label]), partition=0)
    config = {"data_type": "uint8", "data_reshape": "8 8", "label_type": "uint8", "label_reshape": "1"}
    key, value = compose(ControlMessage(3, (Range(topic, 0, 0, COUNT),), "RAW", config, 0.1, 0.2))
    producer.produce(control, value, key)
    assert producer.flush(60) == 0


def uploaded(fake: Chain, result: int) -> tuple[bytes, dict[str, Any]]:
    path = f"/results/{result}"
    ((headers, body),) = [(head, body) for _, found, head, body in fake.requests if found == path and body]
    parts = form_parts(headers, body)
    return parts["trained_model"].get_payload(decode=True), json.loads(parts["data"].get_payload(decode=True))


def test_a_killed_chain_continues_and_each_part_gets_its_result(
    bootstrap: str, fake: Chain, tmp_path: Path
) -> None:
    tag = uuid.uuid4().hex[:8]
    send(bootstrap, f"digits-{tag}", f"control-{tag}")
    base = fake.url.rsplit("/", 1)[0]
    environment = {
        "BOOTSTRAP_SERVERS": bootstrap,
        "CASE": "3",
        "RESULT_URL": repr([f"{base}/8", f"{base}/7"]),
        "RESULT_ID": "[8, 7]",
        "MODEL_NAME": "['edge', 'cloud']",
        "CONTROL_TOPIC": f"control-{tag}",
        "DEPLOYMENT_ID": "3",
        "BATCH": "16",
        "KWARGS_FIT": json.dumps({"epochs": EPOCHS}),
        "CONF_MAT_CONFIG": "true",
        "LEARNING_RATE": "0.003",
        "METRICS": "accuracy",
        "MODELSTORE": str(tmp_path / "models"),
        "JOBFOLDER": str(tmp_path / "jobs"),
    }
    command = [sys.executable, "-m", "training.job"]

    with Process(command, environment, tmp_path / "first.log") as job:
        process = psutil.Process(job.pid)
        wait_for(lambda: fake.sent("/results_metrics/7"), 400, "the first epoch")
        restricted = process.children()
        job.kill()
        psutil.wait_procs(restricted, timeout=60)
        assert not any(each.is_running() for each in restricted)
    assert not [body for _, path, _, body in fake.requests if path == "/results/8" and body], (
        "it was killed late"
    )

    with Process(command, environment, tmp_path / "second.log") as job:
        process = psutil.Process(job.pid)
        wait_for(lambda: process.status() == psutil.STATUS_ZOMBIE, 400, "the end of the job")
        assert job.stop() == 0, job.text
    assert "continuing a training that was interrupted" in job.text

    for result, name, least in ((8, "edge", 0.85), (7, "cloud", 0.85)):
        model, data = uploaded(fake, result)
        for kind, count in (("train_metrics", EPOCHS), ("val_metrics", EPOCHS), ("test_metrics", 1)):
            assert data[kind].keys() == {"loss", "accuracy"}
            assert {len(values) for values in data[kind].values()} == {count}
        assert data["test_metrics"]["accuracy"][0] > least
        matrix = np.array(data["confusion_matrix"])
        assert matrix.sum() == COUNT * 0.2
        assert np.trace(matrix) / matrix.sum() == pytest.approx(data["test_metrics"]["accuracy"][0], abs=1e-3)
        (tmp_path / "trained.h5").write_bytes(model)
        with h5py.File(tmp_path / "trained.h5") as saved:
            assert saved["streamlens"]["code"].asstr()[()] == (EDGE if result == 8 else CLOUD)
        assert (tmp_path / f"models/{name}/candidates/1/saved_model.pb").exists()
        states = {json.loads(each)["state"] for each in fake.sent(f"/results/{result}/progress")}
        assert {"training", "reading"} & states
    assert list((tmp_path / "jobs").iterdir()) == []
