"""A training from Kafka, next to the same on arrays in memory; and reading alone."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from confluent_kafka import Consumer, Producer

from tests.bench.figures import Figure, Measured
from tests.bench.pairs import take_turns
from tests.bench.training.model import BATCH, CODE, CONFIG, COUNT, EPOCHS
from tests.bench.training.topics import fill, held, whole
from tests.parts import ROOT
from tests.training.job.fakes import FakeService
from training.code import Program, build
from training.control.message import ControlMessage, compose
from training.data import formats, reading
from training.data.ranges import Range

JOB: Final = Figure("job, 10 epochs of 60,000 x 784 / fit in memory", "x", most=1.15)
READING: Final = Figure("messages/s into arrays / bare consumer", "x", least=0.6)

_READ: Final = 4 * COUNT  # messages; fewer are read too fast for a steady figure
_ROUNDS: Final = 3  # of the job, which takes long
_LIMIT: Final = 600  # s


def measure(bootstrap: str, folder: Path, features: Any, labels: Any) -> list[Measured]:
    """Return the figures, in turns with the other sides."""
    tag = uuid4().hex[:8]
    topic, control = f"bench-data-{tag}", f"bench-control-{tag}"
    with held(bootstrap, topic, control):
        for _ in range(_READ // COUNT):
            fill(bootstrap, topic, features, labels)
        read = take_turns(
            "reading", {"ours": lambda: _ours(bootstrap, topic), "bare": lambda: _bare(bootstrap, topic)}
        )
        fit = take_turns(
            "job",
            {"ours": lambda: _job(bootstrap, topic, control, folder), "bare": lambda: _in_memory(folder)},
            _ROUNDS,
        )
    about = "messages of 784 bytes, one partition"
    return [
        JOB.ratio(
            fit["ours"],
            fit["bare"],
            "s",
            f"a process that fits arrays, batches of {BATCH}; {COUNT:,} {about}",
        ),
        READING.ratio(read["ours"], read["bare"], "/s", f"a consumer that discards; {_READ:,} {about}"),
    ]


def _ours(bootstrap: str, topic: str) -> float:
    begun = time.monotonic()
    found = reading.read([Range(topic, 0, 0, _READ)], formats.decoder("RAW", CONFIG), bootstrap)
    assert len(found) == _READ
    return _READ / (time.monotonic() - begun)


def _bare(bootstrap: str, topic: str) -> float:
    begun = time.monotonic()
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench", "log_level": 0})
    consumer.assign([whole(topic)])
    left = _READ
    while left > 0:
        left -= sum(message.error() is None for message in consumer.consume(min(left, 4096), 0.2))
    consumer.close()
    return _READ / (time.monotonic() - begun)


def _job(bootstrap: str, topic: str, control: str, folder: Path) -> float:
    """Return the seconds of a job, from its start to its end, with its data in Kafka already."""
    deployment = uuid4().int % 2**31
    key, value = compose(ControlMessage(deployment, (Range(topic, 0, 0, COUNT),), "RAW", CONFIG, 0, 0))
    producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
    producer.produce(control, value, key)
    assert producer.flush(30) == 0
    fake = FakeService()
    fake.model = untrained(folder)
    environment = {
        "BOOTSTRAP_SERVERS": bootstrap,
        "RESULT_URL": fake.url,
        "RESULT_ID": "7",
        "CONTROL_TOPIC": control,
        "DEPLOYMENT_ID": str(deployment),
        "BATCH": str(BATCH),
        "KWARGS_FIT": json.dumps({"epochs": EPOCHS}),
        "JOBFOLDER": str(folder / "jobs"),
        "LOGLEVEL": "warning",
    }
    try:
        took = _timed(["training.job"], environment)
        assert any(path == "/results/7" and body for _, path, _, body in fake.requests), "no trained model"
    finally:
        fake.close()
    return took


def untrained(folder: Path) -> bytes:
    """Return the model as a job gets it, which is built once."""
    file = folder / "untrained.h5"
    if not file.exists():
        build(Program("tf", "", CODE), file)
    return file.read_bytes()


def _in_memory(folder: Path) -> float:
    return _timed(["tests.bench.training.bare", "fit", str(folder)], {"CUDA_VISIBLE_DEVICES": ""})


def _timed(module: list[str], environment: dict[str, str]) -> float:
    """Return the seconds that `python -m MODULE` takes."""
    given = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment}
    begun = time.monotonic()
    subprocess.run([sys.executable, "-m", *module], cwd=ROOT, env=given, check=True, timeout=_LIMIT)
    return time.monotonic() - begun
