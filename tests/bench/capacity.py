"""The number of 640x360 cameras at 25/s that this machine can carry, next to bare library calls.

A side carries a number of cameras if, for some seconds, 99 of 100 frames reach the client within 150 ms
and at most one in twenty is missing. Ours is one producer, one consumer and one video server; bare is a loop
for each camera (read, encode, produce), one that labels (consume, decode, draw, encode, produce), and one
that writes to connections. There is no model, and one client process watches every camera.

Both sides search at the same time, in turns: the number doubles until it is too high, then the steps shrink
to one camera more or fewer. Cameras that are not needed, and those of the other side, are paused meanwhile.
"""

import math
import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

from pipeline.cameras.record import CameraRecord, RecordError
from pipeline.cameras.topic import CameraTopic
from tests.bench import clips
from tests.bench.figures import Figure, Measured, Side
from tests.bench.pairs import round_count
from tests.bench.processes import Bare
from tests.bench.stream import Viewer, watching
from tests.bench.system import broker, broker_kind
from tests.bench.topics import short_lived
from tests.integration.conftest import Pipeline
from tests.parts import Process, free_port, wait_for

_FPS: Final = 25
_SETTLE: Final = 2.5  # s
_SECONDS: Final = 3.0
_OLDEST: Final = 0.15  # s
_FEWEST: Final = 0.95
_SIZE: Final = (640, 360)
_PARTITIONS: Final = 8

CAMERAS: Final = Figure("capacity, cameras of 640x360", "x", least=0.8)
FIGURES: Final = (CAMERAS,)


class Search:
    """Searches for the highest number of cameras, up to `most`; `number` is the one to try next.

    `held` has one result for each try with the smallest step: the number that was carried. The first is from
    the first try that was too many after one that was not.
    """

    def __init__(self, most: int) -> None:
        self.number = 2
        self.held: list[int] = []
        self._most = most
        self._step = 0  # as long as nothing was too many
        self._last = True

    def tried(self, holds: bool) -> None:
        """Take the answer for `number`, and choose the next."""
        too_many, self._last = self._last and not holds, holds
        at_most = self.number == self._most and holds
        if at_most or (self._step == 1 and (too_many or self.held)):
            self.held.append(self.number if holds else self.number - 1)
        if not self._step and holds:
            self.number = min(2 * self.number, self._most)
            return
        self._step = max(1, (self._step or self.number // 2) // 2)
        self.number = min(self._most, max(1, self.number + (self._step if holds else -self._step)))


class _Side:
    """The cameras of one side; `run` lets so many send, and `watch` watches one once it has frames."""

    def __init__(self, run: Callable[[int], None], watch: Callable[[str], Viewer]) -> None:
        self._watch = watch
        self.run = run
        self._viewers: list[Viewer] = []

    def holds(self, number: int) -> bool:
        """Return whether this many cameras can be carried."""
        self.run(number)
        self._viewers += [self._watch(_name(index)) for index in range(len(self._viewers), number)]
        viewers = self._viewers[:number]
        time.sleep(_SETTLE)
        for viewer in viewers:
            viewer.take()
        time.sleep(_SECONDS)
        ages = sorted(age for viewer in viewers for age in viewer.take())
        self.run(0)
        came = len(ages) / (_FPS * _SECONDS * number)
        oldest = ages[int(0.99 * len(ages))] if ages else math.inf
        print(
            f"    {number} cameras: {came:.0%} of the frames, p99 of the age {1000 * oldest:.0f} ms",
            flush=True,
        )
        return came >= _FEWEST and oldest <= _OLDEST

    def wake(self) -> None:
        """Let all of them continue, so that they can end."""
        self.run(len(self._viewers))


def _name(index: int) -> str:
    return f"camera-{index}"


class _Processes:
    """Cameras that are processes of their own, which `start` starts by name."""

    def __init__(self, start: Callable[[str], Process]) -> None:
        self._start = start
        self._processes: list[Process] = []

    def run(self, number: int) -> None:
        for index, process in enumerate(self._processes):
            process.signal(signal.SIGCONT if index < number else signal.SIGSTOP)
        for index in range(len(self._processes), number):
            self._processes.append(self._start(_name(index)))


class _Records:
    """Cameras of one producer, which are records of a topic, paused or not."""

    def __init__(self, pipeline: Pipeline, clip: Path) -> None:
        self._link = str(clip)
        self._topic = CameraTopic(pipeline.bootstrap, f"cameras-{pipeline.topic_in}", {})
        producer = pipeline.producer("", "", CAMERANAME="", CAMERASTOPIC=self._topic.name, LINKSCHEMES="file")
        producer.ready(60)

    def run(self, number: int) -> None:
        for index in range(max(number, len(self._topic.cameras))):
            record = CameraRecord(
                link=self._link, interval=1 / _FPS, partition=index % _PARTITIONS, paused=index >= number
            )
            if self._topic.cameras.get(_name(index)) != record:
                self._topic.put(_name(index), record)
                wait_for(lambda: self._followed(index) == record, 20, "the record")  # noqa: B023

    def close(self) -> None:
        self._topic.close()

    def _followed(self, index: int) -> CameraRecord | RecordError | None:
        self._topic.step()
        return self._topic.cameras.get(_name(index))


def measure() -> list[Measured]:
    """Return how many cameras the system can carry, against the bare loops."""
    most = 8 * len(os.sched_getaffinity(0))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        bootstrap = stack.enter_context(broker(folder))
        clip = clips.scaled(folder, *_SIZE)
        sides = {"ours": _ours(stack, folder, bootstrap, clip), "bare": _bare(stack, folder, bootstrap, clip)}
        held = _search(sides, {name: Search(most) for name in sides})
    ours, theirs = (Side("cameras", tuple(held[name])) for name in ("ours", "bare"))
    if not theirs.median:
        print("  no figure of capacity: other load is so high that the bare calls cannot carry one camera")
        return []
    against = f"bare library calls; p99 of the age <= {1000 * _OLDEST:g} ms, {broker_kind()}"
    # The tries with the smallest step are not pairs: each side makes them when its search gets there.
    return [Measured(CAMERAS, tuple(each / theirs.median for each in ours.rounds), against, ours, theirs)]


def _search(sides: dict[str, _Side], searches: dict[str, Search]) -> dict[str, list[int]]:
    try:
        while unsure := [name for name, search in searches.items() if len(search.held) < round_count()]:
            for name in unsure:
                print(f"  capacity: {name}:", flush=True)
                searches[name].tried(sides[name].holds(searches[name].number))
    finally:
        for side in sides.values():
            side.wake()
    return {name: search.held for name, search in searches.items()}


def _ours(stack: ExitStack, folder: Path, bootstrap: str, clip: Path) -> _Side:
    pipeline = Pipeline(bootstrap, folder, stack.enter_context)
    stack.enter_context(short_lived(bootstrap, pipeline.topic_in, pipeline.topic_out))
    pipeline.consumer()
    pipeline.video()
    address = urlsplit(pipeline.display)

    records = _Records(pipeline, clip)
    stack.callback(records.close)

    def watch(name: str) -> Viewer:
        wait_for(lambda: pipeline.camera(name).get("seq", 0) > 0, 30, f"frames of {name}")
        return stack.enter_context(watching((address.hostname or "", address.port or 0), name))

    return _Side(records.run, watch)


def _bare(stack: ExitStack, folder: Path, bootstrap: str, clip: Path) -> _Side:
    captured, labelled = (f"bench-{name}-{uuid4().hex[:8]}" for name in ("captured", "labelled"))
    stack.enter_context(short_lived(bootstrap, captured, labelled))
    port = free_port()
    stack.enter_context(Bare(folder, "bare", "label", bootstrap, captured, labelled))
    stack.enter_context(Bare(folder, "bare_video", bootstrap, labelled, str(port)))

    def camera(name: str) -> Process:
        loop = Bare(folder, "bare", "capture", str(clip), bootstrap, captured, name, tag=f"-{name}")
        stack.enter_context(loop).going()
        return loop

    cameras = _Processes(camera)
    return _Side(cameras.run, lambda name: stack.enter_context(watching(("127.0.0.1", port), name)))
