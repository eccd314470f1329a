"""The message that announces a training: which data it needs. Kafka-ML's model control message."""

import json
from dataclasses import dataclass, field
from typing import Any

from training.federated.fields import Object, flag, kind, mapping, text, whole
from training.federated.names import Topics, check_prefix, check_training

Shape = tuple[int | None, ...]
"""The shape of a sample, without the batch; None is any size."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """A training of a model with these shapes, on data with exactly this restriction."""

    topics: Topics
    input_shape: Shape
    output_shape: Shape
    min_data: int
    restriction: dict[str, Any] = field(default_factory=dict)


def parse(value: bytes | None) -> Announcement:
    """Return the announcement in a message; raise ValueError with one line for anything else.

    What this version cannot train is an error, too: PyTorch models, and distributed or incremental training.
    """
    fields = Object.parse("model control message", value)
    framework = fields.take("framework", text, "tf")
    for name in ("distributed", "incremental", "blockchain"):
        if fields.take(name, _is_set, False):
            raise ValueError(f"model control message: {name}: federated training does not combine with it")
    if framework != "tf":
        raise ValueError(
            f"model control message: framework {kind(framework)}: only TensorFlow models can be federated"
        )
    shapes, terms = fields.inner("model_format"), fields.inner("federated_params")
    return Announcement(
        topics=Topics(
            terms.take("federated_string_id", lambda each: check_training(text(each))),
            terms.take("prefix", lambda each: check_prefix(text(each)), "FED"),
        ),
        input_shape=shapes.take("input_shape", _shape),
        output_shape=shapes.take("output_shape", _shape),
        min_data=terms.take("min_data", whole(0)),
        restriction=terms.take("data_restriction", mapping, {}),
    )


def compose(announcement: Announcement) -> bytes:
    """Return the value of the message, which has no key."""
    fields = {
        "model_format": {
            "input_shape": written(announcement.input_shape),
            "output_shape": written(announcement.output_shape),
        },
        "federated_params": {
            "federated_string_id": announcement.topics.training,
            "data_restriction": announcement.restriction,
            "min_data": announcement.min_data,
            "prefix": announcement.topics.prefix,
        },
        "framework": "tf",
        "distributed": False,
        "incremental": False,
    }
    return json.dumps(fields).encode()


def written(shape: Shape) -> str:
    """Return a shape such as `28 28`; -1 is any size."""
    return " ".join("-1" if size is None else str(size) for size in shape)


def _is_set(value: object) -> bool:
    return flag(value) if isinstance(value, bool) else bool(mapping(value))


def _shape(value: object) -> Shape:
    parts = text(value).split()
    if not all(part == "-1" or (part.isascii() and part.isdigit() and len(part) <= 9) for part in parts):
        raise ValueError(f"expected a shape such as 28 28, found {kind(value)}")
    return tuple(None if part == "-1" else int(part) for part in parts)
