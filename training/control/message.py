"""Control messages: which messages a deployment trains on, and how they are encoded.

The key is the deployment's id, as unsigned big-endian bytes of any width; the value is a JSON object. The
format is Kafka-ML's; unknown fields are kept, so that sending a message again loses nothing.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from pipeline.service.values import check_topic
from training.data import ranges
from training.data.ranges import Range

_WIDTH: Final = 4  # bytes of the keys we write
_HIGHEST: Final = 2 ** (8 * _WIDTH) - 1
_READ_WIDTH: Final = 8  # bytes of a key, without leading zeros


@dataclass(frozen=True, slots=True)
class ControlMessage:
    """What a deployment trains on.

    `ranges` are the labelled messages; of an online stream, `stream` is the topic's name instead, and there
    are none. `unsupervised_topic` names unlabelled messages in the same notation, or a topic.
    `dataset_restrictions` is an object, or a text that contains one. `rest` are the unknown fields.
    """

    deployment: int
    ranges: tuple[Range, ...]
    input_format: str
    input_config: dict[str, Any]
    validation_rate: float = 0
    test_rate: float = 0
    description: str = ""
    total_msg: int | None = None
    unsupervised_topic: str | None = None
    incremental: bool = False
    dataset_restrictions: dict[str, Any] | str = field(default_factory=dict)
    stream: str | None = None
    rest: dict[str, Any] = field(default_factory=dict)


def parse(key: bytes | None, value: bytes | None) -> ControlMessage:
    """Return the control message in a Kafka message; raise ValueError, with one line, for anything else."""
    deployment = parse_deployment(key)
    fields = _object(value)
    stream, found = _topic(_take(fields, "topic", _text))
    message = ControlMessage(
        deployment=deployment,
        ranges=found,
        stream=stream,
        input_format=_take(fields, "input_format", _text),
        input_config=_take(fields, "input_config", _config),
        validation_rate=_take(fields, "validation_rate", _rate, 0),
        test_rate=_take(fields, "test_rate", _rate, 0),
        description=_take(fields, "description", _text, ""),
        total_msg=_take(fields, "total_msg", _count, None),
        unsupervised_topic=_take(fields, "unsupervised_topic", _unlabelled, None),
        incremental=_take(fields, "incremental", _flag, False),
        dataset_restrictions=_take(fields, "dataset_restrictions", _restrictions, {}),
        rest=fields,
    )
    check_rates(message.validation_rate, message.test_rate)
    return message


def parse_deployment(key: bytes | None) -> int:
    """Return the id of a deployment in a key: unsigned, big-endian; raise ValueError for no key."""
    if not key:
        raise ValueError("control message without a key: expected the deployment's id, as big-endian bytes")
    digits = key.lstrip(b"\0")
    if len(digits) > _READ_WIDTH:
        raise ValueError(f"control message with a key of {len(key)} bytes: expected a deployment's id")
    return int.from_bytes(digits)


def compose(message: ControlMessage) -> tuple[bytes, bytes]:
    """Return the key and the value of a control message, with the fields in Kafka-ML's order.

    Raises ValueError if the deployment's id does not fit into four bytes.
    """
    if not 0 <= message.deployment <= _HIGHEST:
        raise ValueError(f"deployment {message.deployment}: expected an id from 0 to {_HIGHEST}")
    fields = {
        "topic": ranges.write(message.ranges) if message.stream is None else message.stream,
        "unsupervised_topic": message.unsupervised_topic,
        "input_format": message.input_format,
        "description": message.description,
        "dataset_restrictions": message.dataset_restrictions,
        "input_config": message.input_config,
        "validation_rate": message.validation_rate,
        "test_rate": message.test_rate,
        "total_msg": message.total_msg,
        "incremental": message.incremental,
    }
    return message.deployment.to_bytes(_WIDTH), json.dumps({**message.rest, **fields}).encode()


def check_rates(validation_rate: float, test_rate: float) -> None:
    """Raise ValueError unless some data remains for the training."""
    for name, rate in (("validation_rate", validation_rate), ("test_rate", test_rate)):
        if not 0 <= rate < 1:
            raise ValueError(f"{name} {rate:g}: expected a number from 0 to less than 1")
    if validation_rate + test_rate >= 1:
        raise ValueError(
            f"validation_rate {validation_rate:g} and test_rate {test_rate:g} leave nothing for training:"
            " expected less than 1 together"
        )


def _object(value: bytes | None) -> dict[str, Any]:
    if not value:
        raise ValueError("control message without a value: expected a JSON object")
    try:
        fields = json.loads(value)
        json.dumps(fields, ensure_ascii=False).encode()  # raises ValueError for half a surrogate pair
    except (ValueError, RecursionError) as error:
        raise ValueError(f"control message: expected JSON in UTF-8, found invalid JSON: {error}") from None
    if not isinstance(fields, dict):
        raise ValueError(f"control message: expected a JSON object, found {_kind(fields)}")
    return fields


_NEEDED: Final = object()


def _take(
    fields: dict[str, Any], name: str, convert: Callable[[object], Any], default: object = _NEEDED
) -> Any:
    """Remove a field, and return its value."""
    value = fields.pop(name, _NEEDED)
    if value is _NEEDED or (value is None and default is not _NEEDED):
        if default is _NEEDED:
            raise ValueError(f"control message: the field {name} is missing")
        return default
    try:
        return convert(value)
    except ValueError as error:
        raise ValueError(f"control message: {name}: {error}") from None


def _topic(text: str) -> tuple[str | None, tuple[Range, ...]]:
    """Return the name of a stream, or the ranges."""
    try:
        return (None, ranges.parse(text)) if ":" in text else (check_topic(text), ())
    except ValueError as error:
        raise ValueError(f"control message: topic: {error}") from None


def _unlabelled(value: object) -> str:
    text = _text(value)
    _topic(text)
    return text


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected a text, found {_kind(value)}")
    return value


def _rate(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise ValueError(f"expected a number from 0 to less than 1, found {_kind(value)}")
    return value


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"expected a number of messages or null, found {_kind(value)}")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false, found {_kind(value)}")
    return value


def _restrictions(value: object) -> dict[str, Any] | str:
    if isinstance(value, str):  # in the messages of federated sinks
        _config(value)
        return value
    return _config(value)


def _config(value: object) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError("expected a JSON object, found a text that is not JSON") from None
    if not isinstance(value, dict):
        raise ValueError(f"expected a JSON object, found {_kind(value)}")
    return value


def _kind(value: object) -> str:
    """Return what a JSON value is, in a few words."""
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
