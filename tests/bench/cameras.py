"""What a producer with many cameras costs, and how long cameras take to move to another producer."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import cv2
import numpy as np

from tests.bench.figures import Figure, Measured
from tests.bench.pairs import rounds
from tests.bench.processes import spent
from tests.bench.system import broker_kind
from tests.integration.conftest import Pipeline
from tests.integration.sharing import Site
from tests.parts import Service, wait_for
from tests.producer.sources import videos

_COUNTS: Final = (1, 2, 4, 8, 16, 32)
_SECONDS: Final = 5.0
_FRAMES: Final = 25  # of each camera, before it is measured
_ROUNDS: Final = 3
_MOVING: Final = [f"camera {number}" for number in range(8)]

MEMORY: Final = {count: Figure(f"producer with {count} cameras, memory", "MB") for count in _COUNTS}
CORES: Final = {count: Figure(f"producer with {count} cameras, processors", "cores") for count in _COUNTS}
FURTHER: Final = Figure("each further camera, memory", "MB", most=15)
KILLED: Final = Figure("cameras of a killed producer without frames", "s", most=10)
ENDED: Final = Figure("cameras of a producer that ends without frames", "s", most=10)
ADDED: Final = Figure("a new camera to its first frame", "s", most=3)
FIGURES: Final = (*MEMORY.values(), *CORES.values(), FURTHER, KILLED, ENDED, ADDED)


def measure() -> list[Measured]:
    """Return the memory and the processor time of a producer, and how long cameras move."""
    return [*_costs(), *_moves()]


def _costs() -> list[Measured]:
    memory: list[float] = []
    cores: list[float] = []
    with _site(25) as site:
        (producer,) = site.start(1)
        for count in _COUNTS:
            site.put(*(f"camera {number}" for number in range(count)), interval=0.04)
            wait_for(lambda: _busy(producer) == count, 120, f"{count} cameras")  # noqa: B023
            begun, before = time.monotonic(), spent(producer.pid)
            time.sleep(_SECONDS)
            cores.append((spent(producer.pid) - before) / (time.monotonic() - begun))
            memory.append(producer.rss())
    at = f"films of 640x360 at 25/s in H.264, {broker_kind()}"
    further = (memory[-1] - memory[0]) / (_COUNTS[-1] - _COUNTS[0])
    return [
        *(MEMORY[count].alone([each], at) for count, each in zip(_COUNTS, memory, strict=True)),
        *(CORES[count].alone([each], at) for count, each in zip(_COUNTS, cores, strict=True)),
        FURTHER.alone([further], at),
    ]


def _moves() -> list[Measured]:
    killed: list[float] = []
    ended: list[float] = []
    added: list[float] = []
    with _site(10) as site:
        site.put(*_MOVING)
        site.start(3)
        for number in rounds("cameras", _ROUNDS):
            for times, end in ((killed, site.kill), (ended, site.stop)):
                site.wait_until_shared(len(site.topic.cameras))
                site.wait_until_all_move(_MOVING, time.time())
                begun = time.time()
                end(site.producers[0])
                site.wait_until_all_move(_MOVING, begun)
                site.wait_until_shared(len(site.topic.cameras))
                site.wait_until_all_move(_MOVING, time.time())
                times.append(max(site.watcher.longest_gap(each, begun) for each in _MOVING))
                site.start(1)
            site.wait_until_shared(len(site.topic.cameras))
            begun = time.time()
            site.put(f"new {number}")
            site.wait_until_all_move([f"new {number}"], begun)
            added.append(site.watcher.frames[f"new {number}"][0].captured - begun)
    at = f"eight cameras and three producers, {broker_kind()}, {len(killed)} times"
    return [KILLED.alone(killed, at), ENDED.alone(ended, at), ADDED.alone(added, at)]


def _busy(producer: Service) -> int:
    """Return of how many cameras a producer has published enough frames."""
    return sum(counts["out"] >= _FRAMES for counts in producer.ledger().values())


@contextmanager
def _site(rate: int) -> Iterator[Site]:
    """Yield a site whose cameras play a film at a rate; on the Kafka at `KAFKA_BOOTSTRAP`."""
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        noise = np.random.default_rng(7).integers(0, 255, (45, 80, 3), np.uint8)
        scene = cv2.resize(noise, (640, 360), interpolation=cv2.INTER_CUBIC)
        images = [np.roll(scene, 3 * number, 1) for number in range(2 * rate)]
        film = videos.write(folder / "film.mp4", images, rate=rate)  # type: ignore[arg-type]  # cv2's types
        pipeline = Pipeline(os.environ["KAFKA_BOOTSTRAP"], folder, stack.enter_context)
        site = Site(pipeline, film, stack.enter_context)
        yield site
        site.topic.close()
