"""Trains on an endless stream while its job is killed again and again: `python -m tests.training.soak`.

It needs a Kafka (`KAFKA_BOOTSTRAP=host:port`). The model counts in its own weights which samples it was
trained on, so a message that is lost or used twice shows even if the job's ledger adds up.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
import psutil

from tests.parts import Process, wait_for
from tests.training.job.fakes import FakeService, form_parts
from training.client import RawSink
from training.code import Program, build

CODE: Final = """\
class Count(keras.layers.Layer):
    def build(self, shape):
        self.total = self.add_weight(
            name="total", shape=(3,), dtype="float64", initializer="zeros", trainable=False
        )

    def call(self, x, training=False):
        if training:
            rows = tf.cast(x[:, :2], "float64")
            count = tf.cast(tf.shape(x)[:1], "float64")
            self.total.assign_add(tf.concat([count, tf.reduce_sum(rows, 0)], 0))
        return x[:, 2:]

model = keras.Sequential([keras.Input((66,)), Count(), keras.layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
"""
COMMAND: Final = [sys.executable, "-m", "training.job"]
_BAD_EVERY: Final = 100  # samples: then one whose label is not a class
_STEPS: Final = 10


def numbers_of(sample: int) -> tuple[int, int]:
    """Return what tells a sample from others in the sums of many."""
    return sample % 4096, sample * 7919 % 10007


def row(sample: int) -> tuple[Any, int]:
    """Return a sample's features and its label: the pixel that belongs to the label is the brightest."""
    label = sample % 10
    pixels = np.random.default_rng(sample).random(64) / 4
    pixels[label] = 1
    return np.concatenate([numbers_of(sample), pixels]).astype(np.float32), label


@dataclass(slots=True)
class Figures:
    """What a soak test found.

    `memory` has the sizes of processes that lived long, at equal distances in time, in MiB.
    """

    good: int = 0
    bad: int = 0
    kills: int = 0
    progress: dict[str, Any] = field(default_factory=dict)
    total: list[float] = field(default_factory=list)
    memory: list[list[float]] = field(default_factory=list)

    def expected(self) -> list[float]:
        """Return what the model must have counted."""
        samples = [each for each in range(self.good + self.bad) if not is_bad(each)]
        return [float(self.good), *(float(sum(each)) for each in zip(*map(numbers_of, samples), strict=True))]


def is_bad(sample: int) -> bool:
    """Return whether a sample is sent with a label that is not one of the classes."""
    return sample % _BAD_EVERY == _BAD_EVERY - 1


class Soak:
    """A job on a stream, whose service is a stand-in."""

    def __init__(self, bootstrap: str, folder: Path, fake: FakeService, **more: str) -> None:
        tag = uuid.uuid4().hex[:10]
        self.bootstrap = bootstrap
        self.fake = fake
        self.topic, self.control = f"soak-{tag}", f"control-{tag}"
        self.folder = folder
        self.environment = {
            "BOOTSTRAP_SERVERS": bootstrap,
            "RESULT_URL": fake.url,
            "RESULT_ID": "7",
            "CONTROL_TOPIC": self.control,
            "DEPLOYMENT_ID": "3",
            "BATCH": "32",
            "KWARGS_FIT": '{"epochs": 1}',
            "CASE": "2",
            "STREAM_SINCE": datetime.now(UTC).isoformat(),
            "STREAM_TIMEOUT": "8000",
            "MODEL_NAME": "digits",
            "MODELSTORE": str(folder / "models"),
            "JOBFOLDER": str(folder / "jobs"),
            **more,
        }
        build(Program("tf", "", CODE), folder / "untrained.h5")
        fake.model = (folder / "untrained.h5").read_bytes()

    @contextmanager
    def job(self) -> Iterator[Process]:
        """Run the job."""
        with Process(COMMAND, self.environment, self.folder / "job.log") as job:
            yield job

    def reports(self) -> list[dict[str, Any]]:
        """Return what the job has reported about its progress."""
        return [json.loads(body) for body in self.fake.sent("/results/7/progress")]

    def uploads(self) -> list[dict[str, Any]]:
        """Return the parts of each upload."""
        return [
            form_parts(headers, body)
            for _, path, headers, body in list(self.fake.requests)
            if path == "/results/7" and body
        ]


def soak(
    bootstrap: str, folder: Path, seconds: float, *, every: float, rate: float, seed: int = 1
) -> Figures:
    """Send `rate` samples per second for so many seconds, and kill the job every `every` s or so."""
    fake = FakeService()
    try:
        world = Soak(bootstrap, folder, fake)
        figures = Figures()
        over = threading.Event()
        sender = threading.Thread(target=_send, args=(world, figures, seconds, rate, over))
        sender.start()
        _kill_again_and_again(world, figures, every, over, random.Random(seed))
        sender.join()
        (upload,) = world.uploads()
        figures.progress = json.loads(upload["data"].get_payload(decode=True))["progress"]
        (folder / "trained.h5").write_bytes(upload["trained_model"].get_payload(decode=True))
        figures.total = _total(folder / "trained.h5")
        return figures
    finally:
        fake.close()


def _send(world: Soak, figures: Figures, seconds: float, rate: float, over: threading.Event) -> None:
    begin = time.monotonic()
    with RawSink(world.bootstrap, world.topic, 3, control_topic=world.control, online=True) as sink:
        sample = 0
        while time.monotonic() < begin + seconds:
            features, label = row(sample)
            sink.send(features, np.uint8(200 if is_bad(sample) else label))
            figures.bad += is_bad(sample)
            figures.good += not is_bad(sample)
            sample += 1
            time.sleep(max(0.0, begin + sample / rate - time.monotonic()))
    over.set()


def _kill_again_and_again(
    world: Soak, figures: Figures, every: float, over: threading.Event, chance: random.Random
) -> None:
    while True:
        with world.job() as job:
            process = psutil.Process(job.pid)
            until = time.monotonic() + chance.uniform(0.5, 1.5) * every
            sizes = list[float]()
            while not _has_ended(process):
                time.sleep(0.25)
                sizes += _size(process)
                if len(world.fake.requests) > 1_000:
                    del world.fake.requests[:900]
                if not over.is_set() and time.monotonic() >= until:
                    break
            if len(sizes) > 240:
                steps = range(0, len(sizes), len(sizes) // _STEPS)
                figures.memory.append([round(sizes[step], 1) for step in steps])
            if _has_ended(process):
                assert job.stop() == 0, job.text[-4000:]
                return
            restricted = process.children()
            process.kill()
            figures.kills += 1
            psutil.wait_procs(restricted, timeout=60)
            wait_for(partial(_are_gone, restricted), 60, "its end")


def _are_gone(processes: list[psutil.Process]) -> bool:
    return not any(each.is_running() for each in processes)


def _has_ended(process: psutil.Process) -> bool:
    return process.status() == psutil.STATUS_ZOMBIE


def _size(process: psutil.Process) -> list[float]:
    """Return the memory of the job and its process, in MiB, once both run."""
    try:
        children = process.children()
        parts = [process, *children] if children else []
        sizes = [each.memory_info().rss / 2**20 for each in parts]
    except psutil.NoSuchProcess:
        return []
    return [sum(sizes)] if sizes else []


def _total(file: Path) -> list[float]:
    """Return what the model has counted."""
    found = list[Any]()
    with h5py.File(file) as saved:
        saved["model_weights"].visititems(
            lambda _, each: found.append(each[()]) if getattr(each, "shape", None) == (3,) else None
        )
    (total,) = found
    return [float(each) for each in total]


def main() -> None:
    """Run the test, and print what it found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--every", type=float, default=60, help="s between two kills, about")
    parser.add_argument("--rate", type=float, default=100, help="samples per second")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="streamlens-soak-") as folder:
        figures = soak(
            os.environ["KAFKA_BOOTSTRAP"],
            Path(folder),
            given.minutes * 60,
            every=given.every,
            rate=given.rate,
            seed=given.seed,
        )
    print(json.dumps({"sent": figures.good + figures.bad, "kills": figures.kills, **figures.progress}))
    print(json.dumps({"counted": figures.total, "expected": figures.expected(), "memory": figures.memory}))
    check(figures)


def check(figures: Figures) -> None:
    """Fail unless each message was used once, or dropped."""
    progress = figures.progress
    assert progress["read"] == progress["used"] + sum(progress["dropped"].values())
    assert progress["read"] == figures.good + figures.bad
    assert progress["dropped"] == ({"label": figures.bad} if figures.bad else {})
    assert figures.total == figures.expected()


if __name__ == "__main__":
    main()
