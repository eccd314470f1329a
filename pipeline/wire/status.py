"""A status record: what a service says about itself or about one camera, and its form in a Kafka message.

The key is `service/instance` or `service/instance/camera`, the value JSON: `{"state", "reason", "since",
"health"}`, and perhaps `"interval"`. Only the newest record of a key counts, and none that is older than
`LIFETIME`.
"""

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, cast, get_args

from pipeline.wire.frame import LONGEST_KEY, is_name
from pipeline.wire.text import one_line

LIFETIME: Final = 60.0
"""The age in s from which on a record is ignored."""

EVERY: Final = 10.0
"""The longest time between two records of a key, in s."""

State = Literal["connecting", "live", "no-signal", "paused", "ready", "not-ready", "stopped"]
"""What a record can say.

Of a camera: `connecting` until it is open for the first time, `live`, `no-signal` with a reason, or `paused`.
Of a service: `ready`, or `not-ready` with a reason. Of both: `stopped`, as the last word of a process.
"""

_STATES: Final = frozenset(get_args(State))
WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}", re.ASCII)
"""The name of a service, or of one of its processes: 200 characters at most."""

_LONGEST_KEY: Final = 2 * 201 + LONGEST_KEY  # bytes: two words with a slash each, and a camera's name
_LONGEST_VALUE: Final = 10_000  # bytes
_LONGEST_INTERVAL: Final = 86_400.0  # s
_LATEST: Final = 32_503_680_000  # s since the epoch: the year 3000


class StatusError(ValueError):
    """A message is not a status record: `kind` is one word for the metrics, the text says what is wrong."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Subject:
    """Who a record is about: a process of a service or, if `camera` is not empty, one of its cameras."""

    service: str
    instance: str
    camera: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """A state, the reason for it in one line (or none), and when it began, in s since the epoch.

    `health` is the address of the process's `HEALTHPORT`, `host:port`; it may be empty. `interval` is
    the usual time in s between two frames of a camera; 0 if it is not known.
    """

    subject: Subject
    state: State
    reason: str | None
    since: float
    health: str = ""
    interval: float = 0.0


def encode_key(subject: Subject) -> bytes:
    """Return the key of a record."""
    parts = (subject.service, subject.instance, subject.camera)
    return "/".join(filter(None, parts)).encode()


def encode_value(status: Status) -> bytes:
    """Return the value of a record."""
    fields: dict[str, Any] = {
        "state": status.state,
        "reason": None if status.reason is None else one_line(status.reason),
        "since": datetime.fromtimestamp(status.since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "health": status.health,
    }
    if status.interval:
        fields["interval"] = min(status.interval, _LONGEST_INTERVAL)
    return json.dumps(fields, ensure_ascii=False).encode()


def decode_key(key: bytes | None) -> Subject:
    """Return who a record is about; raise `StatusError` for any other key."""
    if key is None or len(key) > _LONGEST_KEY:
        raise StatusError("bad_key", f"expected service/instance/camera, found {_start(key)}")
    try:
        service, instance, *camera = key.decode().split("/", 2)
    except ValueError:  # too few parts, or not UTF-8
        raise StatusError("bad_key", f"expected service/instance/camera, found {_start(key)}") from None
    if not (WORD.fullmatch(service) and WORD.fullmatch(instance) and all(map(is_name, camera))):
        raise StatusError("bad_key", f"expected service/instance/camera, found {_start(key)}")
    return Subject(service, instance, *camera)


def decode(subject: Subject, value: bytes) -> Status:
    """Return a record; raise `StatusError` for any other value."""
    if len(value) > _LONGEST_VALUE:
        raise StatusError("bad_value", f"expected a status of {_LONGEST_VALUE} bytes at most, found more")
    try:
        fields = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise StatusError("bad_value", f"expected JSON: {error}") from None
    if not isinstance(fields, dict):
        raise StatusError("bad_value", f"expected a JSON object, found {_start(value)}")
    return Status(
        subject, _state(fields), _reason(fields), _since(fields), _health(fields), _interval(fields)
    )


def _state(fields: dict[str, Any]) -> State:
    state = fields.get("state")
    if not isinstance(state, str) or state not in _STATES:
        expected = ", ".join(get_args(State))
        raise StatusError("bad_state", f"expected state to be one of {expected}, found {_start(state)}")
    return cast("State", state)


def _reason(fields: dict[str, Any]) -> str | None:
    reason = fields.get("reason")
    if reason is not None and not isinstance(reason, str):
        raise StatusError("bad_reason", f"expected reason to be a text or null, found {_start(reason)}")
    return (one_line(reason) or None) if reason else None


def _since(fields: dict[str, Any]) -> float:
    try:
        since = datetime.fromisoformat(fields["since"])
        seconds = since.timestamp() if since.tzinfo else math.nan
    except (KeyError, TypeError, ValueError, OverflowError):
        seconds = math.nan
    if not 0 <= seconds < _LATEST:
        found = _start(fields.get("since"))
        raise StatusError(
            "bad_since", f"expected since to be a time such as 2026-11-21T19:46:47Z, found {found}"
        )
    return seconds


def _health(fields: dict[str, Any]) -> str:
    health = fields.get("health", "")
    if not isinstance(health, str):
        raise StatusError("bad_health", f"expected health to be a text, found {_start(health)}")
    return one_line(health)


def _interval(fields: dict[str, Any]) -> float:
    interval = fields.get("interval", 0.0)
    if (
        isinstance(interval, bool)
        or not isinstance(interval, int | float)
        or not 0 <= interval <= _LONGEST_INTERVAL
    ):
        raise StatusError("bad_interval", f"expected interval to be 0 to 86400 s, found {_start(interval)}")
    return float(interval)


def _start(value: object) -> str:
    """Return the start of a value, fit to be logged."""
    return repr(value[:80] if isinstance(value, bytes | str) else value)[:80]
