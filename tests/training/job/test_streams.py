"""Trainings on streams as processes, with a real Kafka; the service is a stand-in."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.parts import wait_for
from tests.topic import write
from tests.training import soak
from tests.training.job.fakes import FakeService
from tests.training.soak import Soak
from training.client import RawSink
from training.code import Program, build
from training.control.message import ControlMessage, compose
from training.example.digits import digits

pytestmark = pytest.mark.timeout(900)
_SOON = 300.0  # s: each job starts TensorFlow
DIGITS = """\
model = keras.Sequential([
    keras.Input((64,)), keras.layers.Rescaling(1 / 16), keras.layers.Dense(64, "relu"),
    keras.layers.Dense(10, "softmax"),
])
model.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy", metrics=["accuracy"])
"""


@pytest.fixture
def fake() -> Iterator[FakeService]:
    fake = FakeService()
    yield fake
    fake.close()


def has_ended(process: psutil.Process) -> bool:
    return bool(process.status() == psutil.STATUS_ZOMBIE)


def test_nothing_is_lost_or_used_twice_when_jobs_are_killed(kafka_bootstrap: str, tmp_path: Path) -> None:
    """As `make soak` for half an hour."""
    figures = soak.soak(kafka_bootstrap, tmp_path, 40, every=12, rate=50)

    assert figures.kills >= 1
    soak.check(figures)


def test_an_indefinite_training_makes_a_result_and_a_version_at_each_improvement(
    kafka_bootstrap: str, fake: FakeService, tmp_path: Path
) -> None:
    world = Soak(
        kafka_bootstrap,
        tmp_path,
        fake,
        STREAM_TIMEOUT="-1",
        MONITORING_METRIC="accuracy",
        CHANGE="up",
        IMPROVEMENT="0.02",
        KWARGS_FIT='{"epochs": 3}',
    )
    build(Program("tf", "", DIGITS), tmp_path / "digits.h5")
    fake.model = (tmp_path / "digits.h5").read_bytes()
    samples = digits()
    with world.job() as job:
        process = psutil.Process(job.pid)
        with RawSink(
            kafka_bootstrap,
            world.topic,
            3,
            control_topic=world.control,
            online=True,
            validation_rate=0.2,
        ) as sink:
            for start in range(0, 1500, 300):
                for each in samples[start : start + 300]:
                    sink.send(np.frombuffer(each.pixels, np.uint8), np.uint8(each.label))
                wait_for(partial(_has_done, world, process, start // 300 + 1), _SOON, "a mini-batch")
                assert not has_ended(process), job.text[-4000:]
        wait_for(lambda: len(world.uploads()) >= 2 or has_ended(process), _SOON, "a second result")
        assert job.stop(30) == 143

    uploads = [json.loads(each["data"].get_payload(decode=True)) for each in world.uploads()]
    assert len(uploads) >= 2
    assert all(each["indefinite"] for each in uploads)
    best = [each["progress"]["best"] for each in uploads]
    assert all(later >= earlier + 0.02 - 1e-9 for earlier, later in pairwise(best))
    for each in uploads:
        progress = each["progress"]
        assert progress["read"] == progress["used"] + sum(progress["dropped"].values())
    # The stand-in gives all results the same number, so the newest candidate replaces the others.
    versions = sorted(each.name for each in (tmp_path / "models/digits/candidates").iterdir())
    assert len(versions) == 1
    assert (tmp_path / "models/digits/candidates" / versions[0] / "saved_model.pb").exists()
    assert list((tmp_path / "jobs").iterdir()) != [], "it can be continued"


def test_a_stream_without_messages_fails_with_that_reason(
    kafka_bootstrap: str, fake: FakeService, tmp_path: Path
) -> None:
    world = Soak(kafka_bootstrap, tmp_path, fake, STREAM_TIMEOUT="1500")
    _announce(world)
    with world.job() as job:
        process = psutil.Process(job.pid)
        wait_for(lambda: has_ended(process), _SOON, "the end of the job")
        assert job.stop() == 0, job.text[-4000:]

    last = world.reports()[-1]
    assert last["state"] == "failed"
    assert "no message came within 1.5 s (stream_timeout)" in last["reason"]
    assert world.uploads() == []


def _has_done(world: Soak, process: psutil.Process, count: int) -> bool:
    return _mini_batches(world) >= count or has_ended(process)


def _mini_batches(world: Soak) -> int:
    return max((int(each.get("mini_batches", 0)) for each in world.reports()), default=0)


def _announce(world: Soak) -> None:
    """Send a control message for a topic to which nobody writes."""
    config = {"data_type": "float32", "label_type": "uint8", "data_reshape": "66", "label_reshape": "1"}
    message = replace(ControlMessage(3, (), "RAW", config), stream=world.topic, incremental=True)
    write(world.bootstrap, world.control, compose(message))
