"""What aggregator and clients say to each other about the rounds of one training."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from training.control.message import parse_deployment
from training.data import ranges
from training.data.ranges import Range
from training.federated import weights
from training.federated.fields import Object, flag, kind, mapping, number, reason, text, whole
from training.federated.names import Topics, check_client
from training.federated.weights import Described, File
from training.fields import LARGEST_NUMBER

LAST: Final = -1
"""The version that ends a training."""

MOST_METRICS: Final = 1_000
"""Metrics of an update."""

_NAME: Final = 100  # characters of a metric's name
_KEY: Final = 4  # bytes of a result's id


@dataclass(frozen=True, slots=True)
class Round:
    """The weights to begin a round with, and how to train: round `version` of `rounds`, counted from 0.

    `arguments` are those of fit.
    """

    version: int
    rounds: int
    place: Range
    weights: Described
    model_place: Range
    model: File
    batch: int
    seed: int
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class End:
    """The training is over: `reason` says why, if it has failed."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Join:
    """A client wants to take part, with so many samples for training."""

    client: str
    num_data: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A client could not train a round, and why."""

    client: str
    version: int
    reason: str


Metrics = dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Update:
    """What a client has made of round `version - 1`: its weights, and the metrics of its last epoch."""

    client: str
    version: int
    place: Range
    weights: Described
    num_data: int
    training: Metrics
    validation: Metrics


def parse_round(value: bytes | None, topics: Topics) -> Round | End:
    """Return what the aggregator says. Raises ValueError with one line."""
    fields = Object.parse("round", value)
    version = fields.take("version", whole(LAST))
    if version == LAST:
        return End(fields.take("failed", reason, ""))
    settings = fields.inner("training_settings")
    model = fields.inner("model")
    return Round(
        version=version,
        rounds=fields.take("rounds", whole(1)),
        place=fields.take("topic", _places(topics.weights)),
        weights=fields.take("weights", weights.described),
        model_place=model.take("topic", _places(topics.weights)),
        model=fields.take("model", weights.file),
        batch=settings.take("batch", whole(1)),
        seed=settings.take("seed", whole(0), 0),
        arguments=settings.take("kwargs_fit", mapping),
    )


def compose_round(said: Round | End) -> bytes:
    """Return the value of such a message; the key is the result's id."""
    if isinstance(said, End):
        return json.dumps({"version": LAST, "failed": said.reason or None}).encode()
    fields = {
        "topic": str(said.place),
        "version": said.version,
        "rounds": said.rounds,
        "training_settings": {"batch": said.batch, "kwargs_fit": said.arguments, "seed": said.seed},
        "weights": said.weights.composed(),
        "model": {"topic": str(said.model_place), "size": said.model.size, "sha256": said.model.sha256},
    }
    return json.dumps(fields).encode()


def result_key(result: int) -> bytes:
    """Return the key of what an aggregator says."""
    return result.to_bytes(_KEY)


def parse_result(key: bytes | None) -> int:
    """Return the result's id in such a key. Raises ValueError."""
    return parse_deployment(key)


def parse_client(key: bytes | None) -> str:
    """Return the client's name in the key of what it says. Raises ValueError."""
    try:
        return check_client((key or b"").decode())
    except UnicodeDecodeError:
        raise ValueError(
            "client's message with a key that is not UTF-8: expected the client's name"
        ) from None


def parse_said(client: str, value: bytes | None, topics: Topics) -> Join | Failure | Update:
    """Return what a client says. Raises ValueError with one line."""
    fields = Object.parse(f"client {client}", value)
    if fields.take("join", flag, False):
        return Join(client, fields.take("num_data", whole(1, LARGEST_NUMBER)))
    version = fields.take("version", whole(1))
    if "failed" in fields:
        return Failure(client, version, fields.take("failed", reason))
    metrics = fields.inner("metrics")
    return Update(
        client=client,
        version=version,
        place=fields.take("topic", _places(topics.of(client))),
        weights=fields.take("weights", weights.described),
        num_data=fields.take("num_data", whole(1, LARGEST_NUMBER)),
        training=metrics.take("training", _metrics, {}),
        validation=metrics.take("validation", _metrics, {}),
    )


def compose_said(said: Join | Failure | Update) -> tuple[bytes, bytes]:
    """Return the key and the value of what a client says."""
    fields: dict[str, Any]
    match said:
        case Join():
            fields = {"join": True, "num_data": said.num_data}
        case Failure():
            fields = {"version": said.version, "failed": said.reason}
        case Update():
            fields = {
                "topic": str(said.place),
                "version": said.version,
                "metrics": {"training": said.training, "validation": said.validation},
                "num_data": said.num_data,
                "weights": said.weights.composed(),
            }
    return said.client.encode(), json.dumps(fields).encode()


def _metrics(value: object) -> Metrics:
    """Return the last value of each metric: Kafka-ML's clients send one per epoch."""
    if not isinstance(value, dict) or len(value) > MOST_METRICS:
        raise ValueError(f"expected an object with at most {MOST_METRICS} metrics, found {kind(value)}")
    found = Metrics()
    for name, each in value.items():
        if len(text(name)) > _NAME or "\0" in name:
            raise ValueError(f"expected names of at most {_NAME} characters, found {kind(name)}")
        last = each[-1] if isinstance(each, list) and each else each
        found[name] = number(None if isinstance(last, list) else last)
    return found


def _places(topic: str) -> Callable[[object], Range]:
    """Return what checks the notation of one range, in this topic and with at least one message."""

    def convert(value: object) -> Range:
        found = ranges.parse(text(value))
        if len(found) != 1 or found[0].topic != topic or not len(found[0]):
            raise ValueError(f"expected one range of messages in {topic}, found {kind(value)}")
        return found[0]

    return convert
