"""Memory over time: the system at 25 frames per second with one client; memory is read every 10 s.

The slope is that of the least-squares line, without the first twelfth of the time (five minutes of an hour),
in which caches fill; its standard error says how much of it may be chance.
"""

import math
import time
from collections.abc import Sequence
from typing import Final, NamedTuple

from tests.bench.figures import Figure, Measured
from tests.bench.stream import watching
from tests.bench.system import CAMERA, broker_kind, running

MINUTES: Final = 60.0
_EVERY: Final = 10.0  # s
_SERVICES: Final = ("producer", "consumer", "video")

AT_END: Final = {name: Figure(f"{name}, memory after the hour", "MB", most=120) for name in _SERVICES}
SLOPE: Final = {name: Figure(f"{name}, memory's growth", "MB/h") for name in _SERVICES}
FIGURES: Final = (*AT_END.values(), *SLOPE.values())


class Line(NamedTuple):
    """A straight line's slope, and its standard error."""

    slope: float
    error: float


def measure(minutes: float = MINUTES) -> list[Measured]:
    """Return each service's memory at the end, and how it grew."""
    times, memory = [], {name: list[float]() for name in _SERVICES}
    with running() as system, watching(system.address, CAMERA) as viewer:
        begun = time.monotonic()
        count = max(6, round(60 * minutes / _EVERY))
        frames = 0
        for number in range(1, count + 1):
            time.sleep(max(0.0, begun + number * 60 * minutes / count - time.monotonic()))
            shown = len(viewer.take())
            assert shown, "no frame reached the client"
            frames += shown
            times.append((time.monotonic() - begun) / 3600)
            for name, service in system.services.items():
                memory[name].append(service.rss())
            now = ", ".join(f"{name} {values[-1]:.1f} MB" for name, values in memory.items())
            print(f"  hour: {60 * times[-1]:.1f} of {minutes:g} min: {now}, {frames} frames", flush=True)
    length = f"{minutes:g} min at 25/s, {broker_kind()}, {frames} frames at a client"
    return _figures(times, memory, length)


def _figures(times: list[float], memory: dict[str, list[float]], length: str) -> list[Measured]:
    twelfth = -(-len(times) // 12)
    figures = []
    for name, values in memory.items():
        last = values[-twelfth:]
        figures.append(AT_END[name].alone(last, f"resident memory, {len(last)} samples; {length}"))
    for name, values in memory.items():
        line = straight(times[twelfth:], values[twelfth:])
        against = f"standard error {line.error:.2g} MB/h, {len(values) - twelfth} samples; {length}"
        figures.append(SLOPE[name].alone([line.slope], against))
    return figures


def straight(xs: Sequence[float], ys: Sequence[float]) -> Line:
    """Return the least-squares line through three or more points."""
    count = len(xs)
    x, y = sum(xs) / count, sum(ys) / count
    spread = sum((each - x) ** 2 for each in xs)
    slope = sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / spread
    missed = sum((b - y - slope * (a - x)) ** 2 for a, b in zip(xs, ys, strict=True))
    return Line(slope, math.sqrt(missed / (count - 2) / spread))
