"""Figures: what a process counts of each camera, as rates, and their form in messages of the status topic.

The key is `figures/INSTANCE.PART`, the value JSON. A process with many cameras writes several parts, each of
which stands for itself. A value also has the fields of a state, so that readers that know no figures skip it
without a complaint.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from pipeline.wire.frame import is_name
from pipeline.wire.numbers import FASTEST, OLDEST, count, number, optional, rounded
from pipeline.wire.status import WORD, StatusError, Subject, encode_key
from pipeline.wire.text import one_line

SERVICE: Final = "figures"
"""What stands in the key in place of a service's name."""

OVER: Final = 10.0
"""The time in s over which rates are taken."""

FIGURES_EVERY: Final = 2.0
"""The time in s between two messages of a part."""

LONGEST_PART: Final = 10_000
"""The most bytes of a value."""

MOST_REASONS: Final = 50
"""The most reasons of a camera that are read and written; the rest is left out."""

_ROOM: Final = 9_000  # bytes of a part for cameras
_LONGEST_REASON: Final = 40  # characters
_LATEST: Final = 32_503_680_000.0  # s since the epoch: the year 3000

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Dropped:
    """Frames that went no further for one reason: since the process began, and per second."""

    count: int
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class CameraFigures:
    """One camera in one process: frames in and out per second, and the median age of those that went out.

    `age` is in s; None if no frame went out lately. A rate is None until it has been measured.
    """

    came: float | None
    went: float | None
    age: float | None = None
    dropped: Mapping[str, Dropped] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of some cameras of a process, and when it wrote them by its own clock, in s."""

    service: str
    instance: str
    time: float
    cameras: Mapping[str, CameraFigures]


def encode(figures: Figures) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of a process's figures: at least one, also without cameras."""
    fields = head(figures.service, figures.instance, figures.time)
    opening = json.dumps(fields)[:-1].encode() + b', "cameras": {'
    for part, cameras in enumerate(_parts(figures.cameras)):
        key = encode_key(Subject(SERVICE, f"{figures.instance}.{part}"))
        yield key, opening + b",".join(cameras) + b"}}"


def decode(value: bytes) -> Figures:
    """Return the figures in a value; raise `StatusError` for any other value."""

    def found(service: str, instance: str, at: float, fields: dict[str, Any]) -> Figures:
        return Figures(service, instance, at, {name_of(n): _camera(c) for n, c in fields["cameras"].items()})

    return parsed(value, "a process", found)


def parsed(value: bytes, what: str, found: Callable[[str, str, float, dict[str, Any]], Found]) -> Found:
    """Return what `found` makes of service, instance, time and all fields of a value.

    Raises `StatusError` for any other value than figures of `what`.
    """
    if len(value) > LONGEST_PART:
        raise StatusError("bad_figures", f"expected figures of {LONGEST_PART} bytes at most, found more")
    try:
        fields = json.loads(value)
        service, instance = fields["service"], fields["instance"]
        if not (WORD.fullmatch(service) and WORD.fullmatch(instance)):
            raise ValueError("not the name of a process")
        return found(service, instance, number(fields["time"], 0, _LATEST), fields)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        text = repr(value[:80])[:80]
        raise StatusError(
            "bad_figures", f"expected figures of {what} ({type(error).__name__}: {error}), found {text}"
        ) from None


def _parts(cameras: Mapping[str, CameraFigures]) -> Iterator[list[bytes]]:
    part: list[bytes] = []
    size = 0
    for name, figures in cameras.items():
        text = f"{json.dumps(name)}: {json.dumps(_fields(figures))}".encode()
        if part and size + len(text) > _ROOM:
            yield part
            part, size = [], 0
        part.append(text)
        size += len(text) + 1
    yield part


def drops_as_json(dropped: Mapping[str, Dropped]) -> dict[str, Any]:
    """Return drops as they are written."""
    reasons = sorted(dropped.items())[:MOST_REASONS]
    return {reason[:_LONGEST_REASON]: [each.count, rounded(each.rate, 2)] for reason, each in reasons}


def drops(fields: dict[str, Any]) -> dict[str, Dropped]:
    """Return drops that were read; raise ValueError or TypeError for anything else."""
    return {
        one_line(reason)[:_LONGEST_REASON]: Dropped(count(times), optional(rate, FASTEST))
        for reason, (times, rate) in list(fields.items())[:MOST_REASONS]
    }


def head(service: str, instance: str, at: float) -> dict[str, Any]:
    """Return the fields that every message of figures has."""
    return {
        "state": "ready",
        "since": "1970-01-01T00:00:00Z",
        "service": service,
        "instance": instance,
        "time": round(at, 3),
    }


def _fields(figures: CameraFigures) -> dict[str, Any]:
    return {
        "in": rounded(figures.came, 2),
        "out": rounded(figures.went, 2),
        "age": rounded(figures.age, 3),
        "dropped": drops_as_json(figures.dropped),
    }


def _camera(fields: dict[str, Any]) -> CameraFigures:
    return CameraFigures(
        optional(fields["in"], FASTEST),
        optional(fields["out"], FASTEST),
        optional(fields["age"], OLDEST),
        drops(fields["dropped"]),
    )


def name_of(text: str) -> str:
    """Return the name of a camera or a model; raise ValueError for any other text."""
    if not is_name(text):
        raise ValueError("expected the name of a camera or a model")
    return text
