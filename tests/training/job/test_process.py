"""A whole training as processes: Kafka, the job, and its restricted process; the service is a stand-in."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import psutil
import pytest
from confluent_kafka import Producer

from tests.parts import ROOT, Process, embedded_broker, wait_for
from tests.training.job.fakes import FakeService, form_parts
from training.code import Program, build
from training.control.message import ControlMessage, compose
from training.data.ranges import Range

pytestmark = [pytest.mark.parts, pytest.mark.timeout(900)]

COUNT = 400
EPOCHS = 40
CODE = """\
class Scale(keras.layers.Layer):
    def call(self, x):
        return x / 16

model = keras.Sequential([
    keras.Input((64,)), Scale(), keras.layers.Dense(32, "relu"), keras.layers.Dense(10, "softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
"""
COMPARE = """\
import sys, h5py, keras, numpy as np, tensorflow as tf
class Scale(keras.layers.Layer):
    def call(self, x):
        return x / 16
keras_model = keras.models.load_model(sys.argv[1], {"Scale": Scale})
served = tf.saved_model.load(sys.argv[2]).signatures["serving_default"]
x = np.random.default_rng(1).integers(0, 17, (50, 64)).astype("float32")
name = list(served.structured_input_signature[1])[0]
answers = next(iter(served(**{name: tf.constant(x)}).values()))
np.testing.assert_allclose(answers, keras_model.predict(x), rtol=1e-5)
"""


@pytest.fixture(scope="module")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with embedded_broker(tmp_path_factory.mktemp("broker")) as (address, _):
        yield address


@pytest.fixture
def fake() -> Iterator[FakeService]:
    fake = FakeService()
    yield fake
    fake.close()


def send(bootstrap: str, topic: str, control: str) -> None:
    """Send digits of a kind: the pixel that belongs to the label is the brightest."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 10, COUNT).astype(np.uint8)
    pixels = random.integers(0, 4, (COUNT, 64)).astype(np.uint8)
    pixels[np.arange(COUNT), labels] = 16
    producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
    for image, label in zip(pixels, labels, strict=True):
        producer.produce(topic, image.tobytes(), label.tobytes(), partition=0)
    config = {"data_type": "uint8", "data_reshape": "64", "label_type": "uint8", "label_reshape": "1"}
    message = ControlMessage(3, (Range(topic, 0, 0, COUNT),), "RAW", config, 0.1, 0.2)
    key, value = compose(message)
    producer.produce(control, value, key)
    assert producer.flush(60) == 0


def epochs(fake: FakeService) -> list[int]:
    forms = (parse_qs(body.decode()) for body in fake.sent("/results_metrics/7"))
    return [len(json.loads(form["data"][0])["train_metrics"]["loss"]) for form in forms]


def has_ended(process: psutil.Process) -> bool:
    return process.status() == psutil.STATUS_ZOMBIE


def test_a_killed_job_continues_and_its_model_is_served(
    bootstrap: str, fake: FakeService, tmp_path: Path
) -> None:
    tag = uuid.uuid4().hex[:8]
    build(Program("tf", "", CODE), tmp_path / "untrained.h5")
    fake.model = (tmp_path / "untrained.h5").read_bytes()
    send(bootstrap, f"digits-{tag}", f"control-{tag}")
    environment = {
        "BOOTSTRAP_SERVERS": bootstrap,
        "RESULT_URL": fake.url,
        "RESULT_ID": "7",
        "CONTROL_TOPIC": f"control-{tag}",
        "DEPLOYMENT_ID": "3",
        "BATCH": "8",
        "KWARGS_FIT": json.dumps({"epochs": EPOCHS}),
        "CONF_MAT_CONFIG": "true",
        "MODEL_NAME": "digits",
        "MODELSTORE": str(tmp_path / "models"),
        "JOBFOLDER": str(tmp_path / "jobs"),
    }
    command = [sys.executable, "-m", "training.job"]

    with Process(command, environment, tmp_path / "first.log") as job:
        process = psutil.Process(job.pid)
        wait_for(lambda: epochs(fake) or has_ended(process), 300, "the first epoch")
        assert not has_ended(process), job.text
        restricted = process.children()
        job.kill()
        psutil.wait_procs(restricted, timeout=60)
        assert not any(each.is_running() for each in restricted)
    done = epochs(fake)[-1]

    with Process(command, environment, tmp_path / "second.log") as job:
        process = psutil.Process(job.pid)
        wait_for(lambda: has_ended(process), 600, "the end of the job")
        assert job.stop() == 0, job.text
    assert "continuing a training that was interrupted" in job.text

    assert done < EPOCHS
    assert epochs(fake) == sorted(epochs(fake))
    parts = form_parts(
        *next((head, body) for _, path, head, body in fake.requests if path == "/results/7" and body)
    )
    data: Any = json.loads(parts["data"].get_payload(decode=True))
    assert [len(data[name]["loss"]) for name in ("train_metrics", "val_metrics", "test_metrics")] == [
        EPOCHS,
        EPOCHS,
        1,
    ]
    assert data["test_metrics"]["accuracy"][0] > 0.9
    assert sum(map(sum, data["confusion_matrix"])) == COUNT * 0.2
    (tmp_path / "trained.h5").write_bytes(parts["trained_model"].get_payload(decode=True))
    version = tmp_path / "models/digits/candidates/1"
    compare = [sys.executable, "-c", COMPARE, str(tmp_path / "trained.h5"), str(version)]
    subprocess.run(compare, check=True, cwd=ROOT, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"})
    assert list((tmp_path / "jobs").iterdir()) == []
