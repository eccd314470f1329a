"""How long pictures stand still next to 40,000 bad messages of each kind.

Producing so many messages takes much of a small machine, so the same flood is also sent to topics that nobody
reads.
"""

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final

from confluent_kafka import Producer

from tests.bench.figures import Figure, Measured
from tests.bench.pairs import rounds
from tests.bench.recovery import Watching
from tests.bench.system import CAMERA, System, broker_kind, running
from tests.bench.topics import short_lived
from tests.parts import wait_for

_MESSAGES: Final = 40_000
_LARGE: Final = 100_000  # bytes
_MOST_BYTES: Final = 1_000_000_000  # in all: of large messages, there are fewer
_AFTER: Final = 2.0  # s to watch after the flood

_Bad = tuple[bytes, bytes, list[tuple[str, str | bytes | None]]]
KINDS: Final[Mapping[str, _Bad]] = {
    "no pictures": (b"evil", b"neither", []),
    "no pictures of the watched camera": (CAMERA.encode(), b"neither", []),
    "no names": (b"\xff", b"\xff\xd8\xff\xd9", []),
    "bad headers": (b"evil", b"\xff\xd8\xff\xd9", [("seq", b"x")]),
    "many headers": (b"evil", b"\xff\xd8\xff\xd9", [("other", b"")] * 1_000),
    "large": (b"evil", bytes(_LARGE), []),
    "bad matrices": (b"evil", b'{"mat": "AAAA", "rows": 2, "cols": 2, "type": 16}', []),
    "large matrices, bad base64": (
        b"evil",
        b'{"mat":"!%b","rows":250,"cols":100,"type":16}' % (b"A" * _LARGE),
        [],
    ),
    "large matrices, lists": (b"evil", b'{"mat":[%b1],"rows":1,"cols":1,"type":16}' % (b"1," * 50_000), []),
}
FIGURES: Final = {kind: Figure(f"still next to bad messages: {kind}", "s", most=0.3) for kind in KINDS}


def measure() -> list[Measured]:
    """Return the longest time without a picture, for each kind, at the video server."""
    still: dict[str, list[float]] = {kind: [] for kind in KINDS}
    beside: dict[str, list[float]] = {kind: [] for kind in KINDS}
    with running() as system:
        read = system.topic_in, system.topic_out
        others = f"{system.topic_in}-beside", f"{system.topic_out}-beside"
        with short_lived(system.bootstrap, *others):
            for _ in rounds("floods"):
                for kind, bad in KINDS.items():
                    beside[kind].append(_still(system, bad, others))
                    still[kind].append(_still(system, bad, read))
    against = (
        f"the same flood on topics that nobody reads; 25 pictures per second, two topics, {broker_kind()}"
    )
    return [figure.side_by_side(still[kind], beside[kind], against) for kind, figure in FIGURES.items()]


def _still(system: System, bad: _Bad, topics: Iterable[str]) -> float:
    kafka = Producer({"bootstrap.servers": system.bootstrap, "linger.ms": 2})
    key, value, headers = bad
    with Watching(system.address, CAMERA) as camera:
        begun = time.time()
        wait_for(lambda: camera.back_after(begun), 30, "a picture")
        flood = time.time()
        for _ in range(min(_MESSAGES, _MOST_BYTES // len(value))):
            for topic in topics:
                while True:
                    with suppress(BufferError):
                        kafka.produce(topic, key=key, value=value, headers=headers)
                        break
                    kafka.poll(0.05)
        kafka.flush(60)
        ended = time.time()
        time.sleep(_AFTER)
        wait_for(lambda: camera.back_after(ended), 60, "a picture after the flood")
        return camera.still_after(flood)
