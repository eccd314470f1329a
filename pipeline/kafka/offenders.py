"""The keys under which many bad messages come, so that not each of these must be examined."""

from dataclasses import dataclass
from typing import Final

_MANY: Final = 20  # bad messages with the same key, and no frame in between
_LOOK_EVERY: Final = 0.05  # s
_MOST_KEYS: Final = 1000


@dataclass(slots=True)
class _Offences:
    """What was wrong with the last message that was examined, how many were bad, and when to look again."""

    kind: str
    count: int
    look_at: float


class Offenders:
    """Messages with such a key count like the last one that was examined; every 50 ms, one is.

    Times are in s of a clock that only goes forward.
    """

    def __init__(self) -> None:
        self._offences: dict[bytes, _Offences] = {}  # by key, the newest last

    def kind(self, key: bytes, now: float) -> str | None:
        """Return what is wrong with a message, or None if it must be examined."""
        offences = self._offences.get(key)
        if offences is None or offences.count < _MANY or now >= offences.look_at:
            return None
        return offences.kind

    def add(self, key: bytes, kind: str, now: float) -> None:
        """Note that a message that was examined is bad."""
        offences = self._offences.get(key)
        if offences is None:
            if len(self._offences) == _MOST_KEYS:
                del self._offences[next(iter(self._offences))]
            offences = self._offences[key] = _Offences(kind, 0, 0.0)
        offences.kind = kind
        offences.count += 1
        offences.look_at = now + _LOOK_EVERY

    def clear(self, key: bytes) -> None:
        """Note that a message was a frame."""
        self._offences.pop(key, None)
