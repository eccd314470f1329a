"""What consumers and model servers do with a load: how fresh frames and labels are, and what can be measured.

A fluid model: cameras are spread evenly over the partitions, and everything settles within a second. A model
server answers one request after the other.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

from tests.bench.scaling.loads import Load

PARTITIONS: Final = 8
FRAME_BOUND: Final = 0.6
"""Age in s from which a frame counts as missed."""
LABEL_BOUND: Final = 1.2
"""Age in s from which a label counts as missed, and its frame with it."""

_BATCH: Final = 8  # MAXBATCH
_TIMEOUT: Final = 2.0  # s, MODELTIMEOUT
_FRAME: Final = 0.0027  # s of processor time for a frame of 1280x720, from docs/benchmarks.md
_BAD: Final = 0.00002  # s for a message that is not a frame, from pipeline/kafka/README.md
_TRANSPORT: Final = 0.02  # s from the camera to the consumer
_MOST_BAD: Final = 0.5  # of a consumer's time: beyond that, it passes bad messages over


@dataclass(frozen=True, slots=True)
class Sight:
    """One second, measured. The names are those of the triggers, times in s, rates per second."""

    offered: float
    ratio: float  # the sum over the consumers
    frames: float
    labels: float
    queue: float
    answer: float
    requests: float  # under way; 0 while consumers wait for the model with all of theirs
    consumer: float  # processors in use by all replicas
    tfserving: float
    missed: float  # frames that were lost, or shown too late or with an old label


class Replicas(NamedTuple):
    """Those that are ready, and how many requests each consumer keeps under way."""

    consumers: int
    servers: int
    inflight: int


@cache
def see(load: Load, consumers: int, servers: int, inflight: int) -> Sight:
    """Return what can be measured if so many replicas that are ready meet a load."""
    groups = [
        _group(load, number, partitions / PARTITIONS, Replicas(consumers, servers, inflight))
        for number, partitions in _shares(consumers)
    ]
    answered = sum(group.number * group.answered for group in groups)
    return Sight(
        offered=load.cameras * load.fps,
        ratio=sum(group.number * group.ratio for group in groups),
        frames=max(group.frames for group in groups),
        labels=max(group.labels for group in groups),
        queue=max(group.queue for group in groups),
        answer=max(group.answer for group in groups),
        requests=sum(group.number * group.requests for group in groups),
        consumer=sum(group.number * group.processors for group in groups),
        tfserving=load.computing * min(servers, answered * load.model),
        missed=sum(group.number * group.missed for group in groups),
    )


@dataclass(frozen=True, slots=True)
class _Group:
    """Each of `number` consumers that have equally many partitions."""

    number: int
    answered: float
    ratio: float
    frames: float
    labels: float
    queue: float
    answer: float
    requests: float
    processors: float
    missed: float


def _shares(consumers: int) -> Iterator[tuple[int, int]]:
    """Yield how many consumers have how many partitions."""
    partitions, rest = divmod(PARTITIONS, consumers)
    yield from (
        (number, have) for number, have in ((rest, partitions + 1), (consumers - rest, partitions)) if number
    )


def _group(load: Load, number: int, share: float, replicas: Replicas) -> _Group:
    consumers, servers, inflight = replicas
    cameras = load.cameras * share
    offered = cameras * load.fps
    bad = min(_MOST_BAD, load.bad * share * _BAD)
    kept = min(1.0, (1 - bad) / (offered * _FRAME))
    frames = _TRANSPORT + _FRAME * (cameras if kept < 1 else 1)

    # Kubernetes picks a server for each connection at random, so some may have none.
    requests = inflight * consumers
    busy = servers * (1 - (1 - 1 / servers) ** requests)
    capacity = busy / consumers / load.model
    is_busy = offered * kept > capacity
    batch = min(_BATCH, max(1.0, cameras / inflight)) if is_busy else 1.0
    waiting = max(1.0, requests / busy) if is_busy else 1.0
    answer = load.model * batch * waiting
    answered = min(offered * kept, capacity) if answer <= _TIMEOUT else 0.0
    period = cameras / answered if answered else math.inf  # between two answers about a camera
    queue = 0.95 / load.fps if is_busy else 0.0
    youngest = _TRANSPORT + queue / 2 + answer
    stale = min(1.0, max(0.0, (youngest + period - LABEL_BOUND) / period)) if answered else 1.0
    return _Group(
        number=number,
        answered=answered,
        ratio=offered / answered if answered else 1.0,
        frames=frames if kept < 1 else 0.0,
        labels=youngest - _TRANSPORT + 0.95 * period if answered else math.nan,
        queue=queue,
        answer=answer if answered else math.nan,
        requests=0.0 if is_busy else answered * answer,
        processors=min(1.0, offered * kept * _FRAME + bad),
        missed=offered * (1 - kept) + offered * kept * (1.0 if frames > FRAME_BOUND else stale),
    )
