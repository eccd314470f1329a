"""The age of a 1280x720 frame when its bytes reach the client, next to the least that this takes.

The system takes turns with the same bytes in bare Kafka hops (produce, consume, produce, consume), and with a
bare chain of loops that do the same work: encode, publish; read, stamp, publish; read, write to a connection.
What is not measured is stopped meanwhile.
"""

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from uuid import uuid4

from tests.bench import clips
from tests.bench.bare import subscribed
from tests.bench.figures import Figure, Measured
from tests.bench.pairs import rounds
from tests.bench.processes import Bare
from tests.bench.stream import Viewer, watching
from tests.bench.system import CAMERA, System, broker_kind, running
from tests.bench.topics import short_lived
from tests.parts import Process, free_port

_SECONDS: Final = 5.0
_SETTLE: Final = 1.0  # s

P50: Final = Figure("age p50", "ms", most=10)
P99: Final = Figure("age p99", "ms", most=40)
CHAIN: Final = Figure("age p50 / encode, two hops, stamp, write", "x", most=1.25)
SLOW: Final = Figure("age worst, slow client", "s", most=0.4)
FIGURES: Final = (P50, P99, CHAIN, SLOW)

_Rounds = list[list[float]]


def measure() -> list[Measured]:
    """Return the ages of frames at a prompt client, and at a slow client of the same camera."""
    with running() as system:
        with (
            _hops(system.bootstrap) as (feeder, taker),
            _chain(system.bootstrap) as (capture, end),
            watching(system.address, CAMERA) as viewer,
        ):
            sides = ((system.producer, viewer), (feeder, taker), (capture, end))
            ours, theirs, chain = _turns(sides)
        slow = _slow(system)
    at = f"{len(ours)} rounds of {len(ours[0])} frames, {broker_kind()}"
    hops = f"the same bytes through bare Kafka, twice; {at}"
    return [
        P50.side_by_side([_share(ages, 0.5) for ages in ours], [_share(ages, 0.5) for ages in theirs], hops),
        P99.side_by_side(
            [_share(ages, 0.99) for ages in ours], [_share(ages, 0.99) for ages in theirs], hops
        ),
        CHAIN.ratio(
            [_share(ages, 0.5) for ages in ours],
            [_share(ages, 0.5) for ages in chain],
            "ms",
            f"bare loops of library calls; {at}",
        ),
        SLOW.alone([ages[-1] for ages in slow], f"{len(slow)} times 2 s of reading 10 of 25 frames/s"),
    ]


def _turns(sides: Sequence[tuple[Process, "Viewer | _Taker"]]) -> list[_Rounds]:
    """Return the ages at each side's end, round by round, while only its own source sends."""
    found: list[_Rounds] = [[] for _ in sides]
    with ExitStack() as stack:
        for source, _ in sides:
            stack.callback(source.signal, signal.SIGCONT)
            source.signal(signal.SIGSTOP)
        for _ in rounds("age"):
            for (source, end), ages in zip(sides, found, strict=True):
                source.signal(signal.SIGCONT)
                ages.append(_ages(end))
                source.signal(signal.SIGSTOP)
    return found


def _slow(system: System) -> _Rounds:
    with watching(system.address, CAMERA, pause=0.1) as viewer:
        return [_ages(viewer, 2.0) for _ in rounds("age, slow client")]


def _ages(watcher: "Viewer | _Taker", seconds: float = _SECONDS) -> list[float]:
    """Return the ages in s that are seen once frames flow again."""
    time.sleep(_SETTLE)
    watcher.take()
    time.sleep(seconds)
    return watcher.take()


def _share(ages: list[float], share: float) -> float:
    """Return a quantile in ms of ages in ascending order."""
    return 1000 * ages[int(share * len(ages))]


class _Taker:
    """Reads the last topic, and keeps the ages in s of the frames since the last call of `take`."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._consumer = subscribed(bootstrap, topic)
        self._stopping = threading.Event()
        self._ages: list[float] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def take(self) -> list[float]:
        """Return the ages since the last call, in order."""
        ages, self._ages = self._ages, []
        return sorted(ages)

    def close(self) -> None:
        """Stop reading."""
        self._stopping.set()
        self._thread.join()
        self._consumer.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            message = self._consumer.poll(0.2)
            if message is not None and message.error() is None:
                captured = int(dict(message.headers() or [])["captured"] or 0)
                self._ages.append((time.time_ns() - captured) / 1e9)


@contextmanager
def _hops(bootstrap: str) -> Iterator[tuple[Process, _Taker]]:
    """Run the bare hops; yield the process that feeds them, and the reader of their last topic."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        first, last = (f"bench-{name}-{uuid4().hex[:8]}" for name in ("first", "last"))
        stack.enter_context(short_lived(bootstrap, first, last))
        feeder = stack.enter_context(Bare(folder, "bare", "feed", bootstrap, first, CAMERA))
        stack.enter_context(Bare(folder, "bare", "hop", bootstrap, first, last)).going()
        taker = _Taker(bootstrap, last)
        stack.callback(taker.close)
        yield feeder, taker


@contextmanager
def _chain(bootstrap: str) -> Iterator[tuple[Process, Viewer]]:
    """Run the bare chain; yield the process that captures, and a client of the last one."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        captured, stamped = (f"bench-{name}-{uuid4().hex[:8]}" for name in ("captured", "stamped"))
        stack.enter_context(short_lived(bootstrap, captured, stamped))
        port = free_port()
        clip = str(clips.path())
        capture = stack.enter_context(Bare(folder, "bare", "capture", clip, bootstrap, captured, CAMERA))
        stack.enter_context(Bare(folder, "bare", "stamped_hop", bootstrap, captured, stamped)).going()
        stack.enter_context(Bare(folder, "bare_video", bootstrap, stamped, str(port))).going()
        yield capture, stack.enter_context(watching(("127.0.0.1", port), CAMERA))
