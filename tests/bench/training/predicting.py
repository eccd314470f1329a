"""One replica of an inference: predictions per second next to the bare model, and the age of answers."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any, Final
from uuid import uuid4

from confluent_kafka import Consumer, Message, Producer

from tests.bench.figures import Figure, Measured
from tests.bench.pairs import rounds, take_turns
from tests.bench.training.model import CODE, CONFIG, COUNT, PREDICTED
from tests.bench.training.topics import fill, held, whole
from tests.parts import ROOT, Service, reads, wait_for
from tests.training.job.fakes import FakeService
from training.code import Program, build

PREDICTIONS: Final = Figure("inference, predictions/s of one replica / bare model", "x", least=0.5)
MEDIAN: Final = Figure("inference, age of an answer at 100 messages/s, p50", "ms", most=20)
SLOWEST: Final = Figure("inference, age of an answer at 100 messages/s, p99", "ms", most=60)

_RATE: Final = 100  # messages per second
_SECONDS: Final = 10
_ANSWERS: Final = "streamlens_inference_answers_total"


def measure(bootstrap: str, folder: Path, features: Any, labels: Any) -> list[Measured]:
    """Return the figures; the bare model has the same samples in memory, in batches of 64."""
    fake = FakeService()
    build(Program("tf", "", CODE), folder / "model.h5")
    fake.model = (folder / "model.h5").read_bytes()
    topic = f"bench-questions-{uuid4().hex[:8]}"
    try:
        with held(bootstrap, topic):
            fill(bootstrap, topic, features, labels)
            values = take_turns(
                "predictions",
                {
                    "ours": lambda: _ours(bootstrap, topic, fake.url, folder),
                    "bare": lambda: _bare(folder),
                },
            )
        ages = [_ages(bootstrap, fake.url, folder, features) for _ in rounds("ages")]
    finally:
        fake.close()
    against = f"predict_on_batch of {PREDICTED} in memory; {COUNT:,} messages of 784 bytes"
    about = f"{_RATE * _SECONDS:,} messages per round, to a plain consumer"
    return [
        PREDICTIONS.ratio(values["ours"], values["bare"], "/s", against),
        MEDIAN.alone([quantiles(each, n=100)[49] for each in ages], about),
        SLOWEST.alone([quantiles(each, n=100)[98] for each in ages], about),
    ]


@contextmanager
def _replica(bootstrap: str, topic: str, output: str, model: str, folder: Path) -> Iterator[Service]:
    environment = {
        "INPUT_BOOTSTRAP_SERVERS": bootstrap,
        "OUTPUT_BOOTSTRAP_SERVERS": bootstrap,
        "MODEL_URL": model,
        "INPUT_FORMAT": "RAW",
        "INPUT_CONFIG": json.dumps(CONFIG),
        "INPUT_TOPIC": topic,
        "OUTPUT_TOPIC": output,
        "GROUP_ID": f"group-{output}",
    }
    with held(bootstrap, output), Service("training.inference", environment, folder) as replica:
        wait_for(lambda: reads(f"{replica.health}/healthz"), 60, "the replica")
        yield replica


def _ours(bootstrap: str, topic: str, model: str, folder: Path) -> float:
    """Return the predictions per second of a replica that has all questions at hand."""
    output = f"bench-answers-{uuid4().hex[:8]}"
    with _replica(bootstrap, topic, output, model, folder) as replica:

        def answered(least: int) -> float:
            return wait_for(lambda: (count := replica.metric(_ANSWERS)) >= least and count, 300, "answers")  # type: ignore[no-any-return]

        first = answered(COUNT // 10)
        begun = time.monotonic()
        last = answered(COUNT)
        return (last - first) / (time.monotonic() - begun)


def _bare(folder: Path) -> float:
    command = [sys.executable, "-m", "tests.bench.training.bare", "predict", str(folder)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    run = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True, timeout=600
    )
    return float(run.stdout.split()[-1])


def _ages(bootstrap: str, model: str, folder: Path, features: Any) -> list[float]:
    """Return the ages in ms of the answers to messages that come at a steady rate."""
    tag = uuid4().hex[:8]
    topic, output = f"bench-questions-{tag}", f"bench-answers-{tag}"
    with held(bootstrap, topic), _replica(bootstrap, topic, output, model, folder) as replica:
        consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench", "log_level": 0})
        consumer.assign([whole(output)])
        # The first answers show that the model is loaded, and everybody knows the topics.
        _send(bootstrap, topic, features, seconds=1)
        wait_for(lambda: replica.metric(_ANSWERS) >= _RATE, 120, "the first answers")
        _taken(consumer, _RATE)
        sending = threading.Thread(target=_send, args=(bootstrap, topic, features, _SECONDS))
        sending.start()
        found = _taken(consumer, _RATE * _SECONDS)
        sending.join()
        consumer.close()
    return found


def _send(bootstrap: str, topic: str, features: Any, seconds: int) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0, "log_level": 0})
    due = time.monotonic()
    for number in range(_RATE * seconds):
        time.sleep(max(0.0, due - time.monotonic()))
        due += 1 / _RATE
        headers: dict[str, str | bytes | None] = {"sent": str(time.time_ns())}
        producer.produce(topic, features[number].tobytes(), headers=headers)
        producer.poll(0)
    assert producer.flush(30) == 0


def _taken(consumer: Consumer, count: int) -> list[float]:
    """Return the ages in ms of so many answers."""
    ages = list[float]()
    while len(ages) < count:
        message = consumer.poll(30)
        assert message is not None, "no answer"
        assert message.error() is None
        ages.append((time.time_ns() - _sent(message)) / 1e6)
    return ages


def _sent(message: Message) -> int:
    headers: Any = dict(message.headers() or [])
    return int(headers["sent"])
