"""The processor time of a frame by thread of each service: the kernel's count, by the thread's name."""

import time
from collections import Counter
from pathlib import Path
from typing import Final

from tests.bench.figures import Figure, Measured
from tests.bench.pairs import rounds
from tests.bench.stream import watching
from tests.bench.system import CAMERA, System, broker_kind, running

_SECONDS: Final = 3.0
_LIBRDKAFKA: Final = "rdk:"

WORKERS: Final = {
    "producer": ("capture", "publish", "librdkafka"),
    "consumer": ("label", "imagenet_1", "librdkafka"),
    "video": ("read", "web", "librdkafka"),
}
_FIGURES: Final = {
    (service, thread): Figure(f"{service}, thread {thread}", "us/frame")
    for service, threads in WORKERS.items()
    for thread in (*threads, "others")
}
FIGURES: Final = tuple(_FIGURES.values())


def measure() -> list[Measured]:
    """Return the processor time of each thread per frame, with one client."""
    values: dict[tuple[str, str], list[float]] = {place: [] for place in _FIGURES}
    with running() as system, watching(system.address, CAMERA):
        for _ in rounds("threads"):
            for place, microseconds in _round(system).items():
                values[place].append(microseconds)
    against = f"1280x720 at 25/s, {broker_kind()}, model of 200 ms, one client"
    return [_FIGURES[place].alone(each, against) for place, each in values.items()]


def _round(system: System) -> dict[tuple[str, str], float]:
    before = {name: (_spent(each.pid), _out(system, name)) for name, each in system.services.items()}
    time.sleep(_SECONDS)
    found: dict[tuple[str, str], float] = dict.fromkeys(_FIGURES, 0.0)
    for name, service in system.services.items():
        spent, count = _spent(service.pid) - before[name][0], _out(system, name) - before[name][1]
        for thread, microseconds in spent.items():
            place = (name, thread if thread in WORKERS[name] else "others")
            found[place] += microseconds / count
    return found


def _out(system: System, name: str) -> int:
    return int(system.services[name].ledger()[CAMERA]["out"])


def _spent(pid: int) -> Counter[str]:
    """Return the processor time of a process's threads in us, by name."""
    spent = Counter[str]()
    for thread in Path(f"/proc/{pid}/task").iterdir():
        name = (thread / "comm").read_text().strip()
        name = "librdkafka" if name.startswith(_LIBRDKAFKA) else name
        spent[name] += int((thread / "schedstat").read_text().split()[0]) // 1000
    return spent
