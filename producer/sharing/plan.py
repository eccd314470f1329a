"""The plan: which producer captures which camera.

The producer that has made the newest plan makes the next one; if it is gone, the first of the others does. A
plan is a message among the beats, so all producers hear the same plans in the same order. It holds on to the
one before: a camera moves only if its producer goes, or if one comes that has less to do.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from pipeline.wire.status import WORD

LARGEST: Final = 1_000_000
"""The largest plan, in bytes; one of 10,000 cameras has about 150,000."""

_MARK: Final = 5  # bytes that stand for a camera's name


@dataclass(frozen=True, slots=True)
class Plan:
    """Who captures what: `by` has made it, `members` share, `holders` are theirs by a camera's `mark`."""

    by: str = ""
    members: tuple[str, ...] = ()
    holders: Mapping[str, str] = field(default_factory=dict)

    def share(self, member: str, cameras: Collection[str]) -> set[str]:
        """Return which of these cameras a member captures."""
        return {camera for camera in cameras if self.holders.get(mark(camera)) == member}


def mark(camera: str) -> str:
    """Return what stands for a camera in a plan."""
    return hashlib.blake2b(camera.encode(), digest_size=_MARK).hexdigest()


def renewed(plan: Plan, cameras: Collection[str], members: tuple[str, ...], by: str) -> Plan:
    """Return the plan for these cameras and members, which changes as little as it can.

    A new camera goes to a member with the fewest. Others move only if the members have changed: then each
    member has as many as any other, or one more.
    """
    marks = sorted(map(mark, cameras))
    holders = {each: plan.holders[each] for each in marks if plan.holders.get(each) in members}
    counts = Counter(dict.fromkeys(members, 0))
    counts.update(holders.values())
    for each in marks:
        if each not in holders:
            holders[each] = _emptiest(counts, each)
            counts[holders[each]] += 1
    if members != plan.members:
        _even_out(holders, counts)
    return Plan(by, members, holders)


def _even_out(holders: dict[str, str], counts: Counter[str]) -> None:
    least = len(holders) // len(counts)
    # Those who have too much give what exceeds the least share, and one more as long as there is one.
    spare = len(holders) - least * len(counts)
    for member, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        most = least + (spare > 0)
        spare -= count > least
        theirs = sorted(each for each, holder in holders.items() if holder == member)
        for each in theirs[: max(0, count - most)]:
            counts[member] -= 1
            holders[each] = _emptiest(counts, each)
            counts[holders[each]] += 1


def _emptiest(counts: Counter[str], camera: str) -> str:
    return min(counts, key=lambda member: (counts[member], mark(f"{camera} {member}")))


def encode(plan: Plan) -> bytes:
    """Return a plan as a message."""
    shares: dict[str, list[str]] = {member: [] for member in plan.members}
    for each, holder in plan.holders.items():
        shares[holder].append(each)
    return json.dumps({"by": plan.by, "shares": shares}, separators=(",", ":")).encode()


def decode(value: bytes) -> Plan | None:
    """Return the plan in a message; None if it is not one."""
    try:
        fields = json.loads(value) if len(value) <= LARGEST else {}
        by, shares = fields["by"], fields["shares"]
        members = tuple(sorted(shares))
        holders = {str(each): member for member, marks in shares.items() for each in marks}
        known = all(map(WORD.fullmatch, (by, *members)))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return Plan(by, members, holders) if known else None
