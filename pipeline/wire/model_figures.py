"""Figures of models: what a consumer counts of each model that it asks, and their form as messages.

The key, on the status topic, is `figures/INSTANCE.models`, the value JSON. It also has the fields of
`pipeline.wire.figures`, without any camera, so that readers that know no models skip it without a complaint.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pipeline.wire.figures import LONGEST_PART, SERVICE, Dropped, drops, drops_as_json, head, name_of, parsed
from pipeline.wire.numbers import FASTEST, OLDEST, optional, rounded
from pipeline.wire.status import Subject, encode_key
from pipeline.wire.text import one_line

PART: Final = ".models"
"""How the second half of the key ends."""

_SERVER: Final = 100  # characters


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """One model in one consumer: the address of its `server`, and what is wrong with it in one line, or None.

    Requests and frames that were answered per second, how long an answer took in s, and the median age in s
    of the labels on the last frames; None if there were none lately. `failed` are requests without a valid
    answer, by reason.
    """

    server: str
    trouble: str | None
    requests: float | None
    frames: float | None
    took: float | None = None
    age: float | None = None
    failed: Mapping[str, Dropped] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Models:
    """The figures of all models of a consumer."""

    service: str
    instance: str
    models: Mapping[str, ModelFigures]


def encode(models: Models, at: float) -> tuple[bytes, bytes]:
    """Return the key and the value of what a consumer counted until a time, in s since the epoch.

    Models for which there is no room are left out.
    """
    opening = (
        json.dumps(head(models.service, models.instance, at))[:-1].encode() + b', "cameras": {}, "models": {'
    )
    room = LONGEST_PART - len(opening) - len(b"}}")
    written = []
    for name, figures in models.models.items():
        text = f"{json.dumps(name)}: {json.dumps(_fields(figures))}".encode()
        room -= len(text) + 1
        if room < 0:
            break
        written.append(text)
    return encode_key(Subject(SERVICE, f"{models.instance}{PART}")), opening + b",".join(written) + b"}}"


def decode(value: bytes) -> Models:
    """Return the figures in a value; raise `StatusError` for any other value."""

    def found(service: str, instance: str, _: float, fields: dict[str, Any]) -> Models:
        return Models(service, instance, {name_of(n): _model(m) for n, m in fields["models"].items()})

    return parsed(value, "models", found)


def _fields(figures: ModelFigures) -> dict[str, Any]:
    return {
        "server": figures.server[:_SERVER],
        "trouble": None if figures.trouble is None else one_line(figures.trouble),
        "requests": rounded(figures.requests, 2),
        "frames": rounded(figures.frames, 2),
        "took": rounded(figures.took, 4),
        "age": rounded(figures.age, 3),
        "failed": drops_as_json(figures.failed),
    }


def _model(fields: dict[str, Any]) -> ModelFigures:
    server, trouble = fields["server"], fields["trouble"]
    if not (isinstance(server, str) and (trouble is None or isinstance(trouble, str))):
        raise ValueError("expected texts")
    return ModelFigures(
        one_line(server)[:_SERVER],
        one_line(trouble) if trouble else None,
        optional(fields["requests"], FASTEST),
        optional(fields["frames"], FASTEST),
        optional(fields["took"], OLDEST),
        optional(fields["age"], OLDEST),
        drops(fields["failed"]),
    )
