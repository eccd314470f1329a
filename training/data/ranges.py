"""Ranges of offsets, and their notation in control messages: `topic:partition:start:end`, with commas."""

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pipeline.service.values import check_topic

_NOTATION: Final = re.compile(r"(?P<topic>[^:]*):(?P<partition>\d+):(?P<start>\d+):(?P<end>\d+)", re.ASCII)
_LAST_PARTITION: Final = 2**31 - 1
_LAST_OFFSET: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Range:
    """Offsets of a partition from `start` up to, but not including, `end`."""

    topic: str
    partition: int
    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start

    def __str__(self) -> str:
        return f"{self.topic}:{self.partition}:{self.start}:{self.end}"


def parse(text: str) -> tuple[Range, ...]:
    """Return the ranges in a text such as `digits:0:0:600,digits:1:0:400`; raise ValueError otherwise.

    No two of them may have a message in common.
    """
    found = tuple(_parse_one(part.strip()) for part in text.split(","))
    ordered = sorted(found, key=lambda each: (each.topic, each.partition, each.start))
    for one, other in itertools.pairwise(each for each in ordered if len(each)):
        if (one.topic, one.partition) == (other.topic, other.partition) and other.start < one.end:
            raise ValueError(f"ranges {one} and {other} overlap: expected each message once")
    return found


def write(ranges: Iterable[Range]) -> str:
    """Return the notation of ranges."""
    return ",".join(map(str, ranges))


def _parse_one(text: str) -> Range:
    parts = _NOTATION.fullmatch(text)
    if parts is None:
        raise ValueError(f"range {text[:300]!r}: expected topic:partition:start:end, such as digits:0:0:600")
    topic = check_topic(parts["topic"])
    # Long numbers are compared by their digits: Python refuses to convert those of more than 4,300.
    if any(len(parts[name].lstrip("0")) > 19 for name in ("partition", "start", "end")):
        raise ValueError(f"range {text[:300]!r}: expected offsets up to {_LAST_OFFSET}")
    partition, start, end = (int(parts[name].lstrip("0") or "0") for name in ("partition", "start", "end"))
    if partition > _LAST_PARTITION or max(start, end) > _LAST_OFFSET:
        raise ValueError(
            f"range {text!r}: expected a partition up to {_LAST_PARTITION} and offsets up to {_LAST_OFFSET}"
        )
    if end < start:
        raise ValueError(f"range {text!r}: the end is before the start; the end is an offset, not a length")
    return Range(topic, partition, start, end)
