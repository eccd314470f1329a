"""Records a load of the real pipeline: `python -m tests.bench.scaling.record FILE.csv [MINUTES]`.

Producer, Kafka, consumer and model server are as they are, except that the film is small and that the model
server has one processor, as its pod does. Cameras join and leave; somebody floods the topic; the model
becomes slow, because others use its device, too.
"""

import itertools
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from confluent_kafka import Producer

from pipeline.cameras.record import CameraRecord
from pipeline.cameras.topic import CameraTopic
from pipeline.flow.ledger import REMOVED
from tests.bench import clips
from tests.bench.machine import machine
from tests.bench.processes import spent
from tests.bench.scaling.loads import Load
from tests.integration.conftest import Pipeline
from tests.parts import ROOT, ModelServer, Service, embedded_broker, free_port, reads, wait_for


class Phase(NamedTuple):
    """A part of the recording, in minutes of the whole half hour."""

    minutes: float
    cameras: int
    flood: int = 0
    """Messages per second that are not frames."""
    stands: float = 0.0
    """The share of the time in which others use the device of the model server, which stands still."""


PHASES: Final = (
    Phase(3, 1),
    Phase(3, 4),
    Phase(3, 1),
    Phase(3, 7),
    Phase(3, 2),
    Phase(3, 2, flood=20_000),
    Phase(2, 2),
    Phase(3, 2, stands=0.6),
    Phase(3, 2),
    Phase(3, 2, stands=0.75),
    Phase(1, 1),
)
EVERY: Final = 5
"""Seconds that a row lasts."""

_SIZE: Final = (320, 180)
_SHARED: Final = 0.1  # s of which the model server stands still for a share
_PATIENCE: Final = 300  # s that something may take on a machine that does much else
_TICK: Final = 0.01  # s
_ANSWERED: Final = "streamlens_model_frames_answered_total"


class Counts(NamedTuple):
    """What has been counted until a moment: frames sent, answers, processor time in s, bad messages."""

    at: float
    frames: dict[str, int]
    answered: float
    computed: float
    bad: int


class _Site:
    """The pipeline, and what can be done to it."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        cores = sorted(os.sched_getaffinity(0))
        stack.callback(os.sched_setaffinity, 0, cores)
        os.sched_setaffinity(0, cores[:1])
        self._server = ModelServer(ROOT / "build/models/imagenet", free_port(), folder)
        stack.callback(self._server.stop)
        wait_for(lambda: reads(self._server.url.removesuffix(":predict")), _PATIENCE, "the model server")
        os.sched_setaffinity(0, cores)
        address, _ = stack.enter_context(embedded_broker(folder, "--topic", "cameras:1"))
        pipeline = Pipeline(address, folder, stack.enter_context)
        self._topic = CameraTopic(address, "cameras", {})
        stack.callback(self._topic.close)
        assert self._topic.catch_up(30)
        self._film = clips.scaled(folder, *_SIZE)
        settings = {"CAMERASTOPIC": self._topic.name, "LINKSCHEMES": "file", "CAMERANAME": ""}
        settings["TOPICNAMEMEMBERS"] = f"members-{pipeline.topic_in}"
        self._producer: Service = pipeline.producer("all", "", **settings)
        self._consumer: Service = pipeline.consumer(self._server.url, MODELTIMEOUT="10s")
        self._flood = _Flood(pipeline.bootstrap, pipeline.topic_in)
        stack.callback(self._flood.close)

    def put(self, count: int) -> None:
        """Let so many cameras deliver."""
        for number in itertools.count():
            name = f"camera {number}"
            if number < count and name not in self._topic.cameras:
                self._topic.put(name, CameraRecord(link=str(self._film), interval=0.04))
            elif number >= count and name in self._topic.cameras:
                self._topic.remove(name)
            elif number >= count:
                break
        wait_for(lambda: self._listed() == count, _PATIENCE, "the records")

    def _listed(self) -> int:
        self._topic.step()
        return len(self._topic.cameras)

    def flood(self, rate: int) -> None:
        """Send so many messages per second that are not frames."""
        self._flood.rate = rate

    def slow(self, stands: float) -> AbstractContextManager[None]:
        """Let the model server stand still for a share of the time."""
        return _halting(self._server.pid, stands) if stands else nullcontext()

    def answer(self) -> None:
        """Wait until frames are answered."""
        for service in (self._producer, self._consumer):
            service.ready(_PATIENCE)
        wait_for(lambda: self.counts().answered, _PATIENCE, "an answer")

    def counts(self) -> Counts:
        """Return what has been counted."""
        ledger = json.loads(_read(f"{self._producer.health}/ledger"))
        metrics = _read(f"{self._consumer.health}/metrics").decode().splitlines()
        answered = sum(float(line.rpartition(" ")[2]) for line in metrics if line.startswith(_ANSWERED))
        frames = {name: counts["out"] for name, counts in ledger.items() if name != REMOVED}
        return Counts(time.monotonic(), frames, answered, spent(self._server.pid), self._flood.sent)


class _Flood:
    """Sends messages that are not frames, in a thread of its own."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.rate = 0
        self.sent = 0
        self._topic = topic
        self._kafka = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5})
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop sending."""
        self._ended.set()
        self._thread.join(10)
        self._kafka.purge()

    def _run(self) -> None:
        produced = 0
        while not self._ended.wait(_TICK):
            for _ in range(round(self.rate * _TICK)):
                with suppress(BufferError):
                    self._kafka.produce(self._topic, b"neither", b"evil")
                    produced += 1
            self._kafka.poll(0)
            self.sent = produced - len(self._kafka)


@contextmanager
def _halting(pid: int, stands: float) -> Iterator[None]:
    """Let a process stand still for a share of the time."""
    ended = threading.Event()

    def halt() -> None:
        while not ended.wait((1 - stands) * _SHARED):
            os.kill(pid, signal.SIGSTOP)
            ended.wait(stands * _SHARED)
            os.kill(pid, signal.SIGCONT)

    thread = threading.Thread(target=halt, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _read(url: str) -> bytes:
    """Return the body of a 200; on a busy machine, it may take a while."""
    body: bytes = wait_for(lambda: reads(url), _PATIENCE, url)
    return body


def record(minutes: float) -> Iterator[Load]:
    """Yield what comes, every `EVERY` s, while all phases last `minutes` together."""
    scale = 60 * minutes / sum(phase.minutes for phase in PHASES)
    with ExitStack() as stack:
        site = _Site(stack, Path(stack.enter_context(TemporaryDirectory())))
        site.put(PHASES[0].cameras)
        site.answer()
        before, model, due = site.counts(), 0.0, time.monotonic()
        for phase in PHASES:
            site.put(phase.cameras)
            site.flood(phase.flood)
            with site.slow(phase.stands):
                for _ in range(round(phase.minutes * scale / EVERY)):
                    due += EVERY
                    time.sleep(max(0.0, due - time.monotonic()))
                    now = site.counts()
                    load = between(before, now, phase.stands, model)
                    yield load
                    before, model = now, load.model


def between(before: Counts, now: Counts, stands: float, model: float) -> Load:
    """Return the load between two moments; `model` stands for the time of answers if there were none.

    The processor time of an answer does not grow with what else this machine does, as the time until the
    answer would. A server that stands still for a share of the time takes longer by as much.
    """
    seconds = now.at - before.at
    frames = {name: count - before.frames.get(name, 0) for name, count in now.frames.items()}
    cameras = sum(count > 0 for count in frames.values())
    answered, computed = now.answered - before.answered, now.computed - before.computed
    return Load(
        cameras=max(1, cameras),
        fps=round(sum(frames.values()) / max(1, cameras) / seconds, 1),
        model=round(computed / answered / (1 - stands), 4) if answered else model,
        computing=round(1 - stands, 2),
        bad=round((now.bad - before.bad) / seconds),
    )


def main(arguments: Sequence[str]) -> None:
    """Write a file."""
    target, *rest = arguments
    minutes = float(rest[0]) if rest else 30.0
    with Path(target).open("w") as file:
        about = ", ".join(text for name, text in machine().items() if name != "system")
        print(f"# Recorded by `python -m tests.bench.scaling.record` in {minutes:g} minutes:", file=file)
        print(f"# {about}, embedded broker, {_SIZE[0]}x{_SIZE[1]} at 25/s.", file=file)
        print("seconds", *Load._fields, sep=",", file=file)
        file.flush()
        for load in record(minutes):
            print(EVERY, *load, sep=",", file=file, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
