"""Who shares a topic's partitions: every member of a group beats on a topic, and takes its part.

Kafka's own groups need 3 s to form, and 6 s to notice that a member has been killed. Live video cannot wait
for that, and does not need what takes so long: a frame that two members label does no harm, nor one that none
does.
"""

import hashlib
import json
import time
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pipeline.wire.status import WORD

BEAT: Final = 0.25
"""Seconds between two beats of a member."""

_LISTEN: Final = 2 * BEAT  # s in which every other member is heard
_GONE: Final = 2.0  # s without a beat after which a member is gone
_DEAF: Final = 1.0  # s without hearing itself after which a member does not know who else is there

_LONGEST_BEAT: Final = 1_000  # bytes
_MOST_MEMBERS: Final = 100  # that share the partitions
_MOST_NAMES: Final = 10_000  # of those that have beaten, however seldom

_JOINING: Final = "joining"
_READING: Final = "reading"
_LEFT: Final = "left"


@dataclass(slots=True)
class _Other:
    """Another member: when it was heard first and last, and what it said."""

    first: float
    last: float
    state: str


class Members:
    """What one member, `me`, knows of its group, from the beats that it hears; its own among them.

    Everyone who hears the same beats divides the partitions in the same way, so nobody has to decide. A name
    counts once it has beaten again, so that a flood of invented ones takes nothing.
    """

    def __init__(self, me: str) -> None:
        self._me = me
        self._heard: dict[str, _Other] = {}
        self._gone = deque[tuple[str, float]](maxlen=_MOST_MEMBERS)  # and when each was heard last
        self._heard_me = -_GONE  # when I beat last, as far as it was heard
        self._listening: float | None = None  # since when I have heard myself without a gap
        self._is_reading = False
        self.count = 1
        """How many members share the partitions, as of the last `share`; this one among them."""

    def beat(self) -> bytes:
        """Return what to send now: that this member is there, and whether it reads its share."""
        return _beat(self._me, _READING if self._is_reading else _JOINING)

    def leave(self) -> bytes:
        """Return what to send at the end, so that the others take over at once."""
        self._is_reading = False
        return _beat(self._me, _LEFT)

    def hear(self, beat: bytes) -> None:
        """Take a beat of a member of the group. Others than `beat` returns are ignored."""
        now = time.monotonic()
        try:
            fields = json.loads(beat) if len(beat) <= _LONGEST_BEAT else {}
            member, state = fields["member"], fields["state"]
            known = WORD.fullmatch(member)
        except (ValueError, TypeError, KeyError, RecursionError):
            return
        if not known:
            return
        if member == self._me:
            if now - self._heard_me > _DEAF:
                self._listening = now
            self._heard_me = now
        elif (other := self._heard.get(member)) is not None:
            other.last, other.state = now, state
        elif len(self._heard) < _MOST_NAMES:
            self._heard[member] = _Other(now, now, state)

    def share(self, partitions: Collection[int]) -> set[int] | None:
        """Return which of the partitions this member reads now; None to leave everything as it is."""
        members = self.present()
        if members is None:
            return None
        return divided(frozenset(partitions), members).get(self._me, set())

    def present(self, *, joining: bool = False) -> tuple[str, ...] | None:
        """Return the members that share now, in order, this one among them; None if that is not known.

        With `joining`, these are also those that will soon.

        A member that does not hear itself, because Kafka is away or because it was stopped, cannot tell if
        the others are gone.
        """
        now = time.monotonic()
        if now - self._heard_me > _DEAF:
            return None
        if self._listening is None or now - self._listening < _LISTEN:
            return None
        for name, other in self._heard.copy().items():
            if now - other.last > (_GONE if _beats(other) else _LISTEN):
                del self._heard[name]
                self._gone.append((name, other.last))
        states = {_READING, _JOINING} if joining else {_READING}
        others = [name for name, other in self._heard.items() if other.state in states and _beats(other)]
        self._is_reading = True
        members = tuple(sorted([self._me, *others])[:_MOST_MEMBERS])  # the same ones for every member
        self.count = len(members)
        return members

    def last_heard(self, member: str) -> float | None:
        """Return when another member was heard last, in s of the monotonic clock, as far as it is known."""
        if other := self._heard.get(member):
            return other.last
        return next((last for name, last in reversed(self._gone) if name == member), None)


@lru_cache(maxsize=2)  # called ten times a second, and members seldom change
def divided(partitions: frozenset[int], members: tuple[str, ...]) -> dict[str, set[int]]:
    """Return each member's partitions: equally many of the first ones, however few of them are in use.

    Cameras fill the partitions from the first one on. As far as that allows, few partitions move when a
    member comes or goes.
    """
    shares: dict[str, set[int]] = {member: set() for member in members}
    for partition in sorted(partitions):
        fewest = min(map(len, shares.values()))
        free = [member for member, share in shares.items() if len(share) == fewest]
        shares[max(free, key=lambda member: _score(member, partition))].add(partition)
    return shares


def _beats(other: _Other) -> bool:
    """Return whether a member has beaten again."""
    return other.last - other.first >= BEAT / 2


def _score(member: str, partition: int) -> bytes:
    return hashlib.blake2b(f"{partition} {member}".encode(), digest_size=8).digest()


def _beat(member: str, state: str) -> bytes:
    return json.dumps({"member": member, "state": state}).encode()
