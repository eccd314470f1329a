"""The list of cameras, as a table and as JSON."""

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pipeline.cameras.record import CameraRecord, RecordError
from pipeline.cameras.seal import Seal
from producer.cameras import fields
from producer.cameras.states import Reported

_WIDEST: Final = 40  # columns of the terminal
_HEADS = ("NAME", "STATE", "GROUP", "PARTITION", "LINK", "REASON")

Cameras = Mapping[str, CameraRecord | RecordError]


def table(cameras: Cameras, states: Mapping[str, Reported], seal: Seal) -> str:
    """Return a line for each camera, below a line with the columns' heads."""
    rows = [_HEADS]
    for each in described(cameras, states, seal):
        partition = each.get("partition")
        rows.append(
            (
                each["name"],
                each["state"],
                each.get("group") or "-",
                "-" if partition is None else str(partition),
                each.get("link") or "-",
                each["reason"] or "",
            )
        )
    return aligned(rows)


def as_json(cameras: Cameras, states: Mapping[str, Reported], seal: Seal) -> str:
    """Return all fields of all cameras as JSON, with masked links."""
    return json.dumps(described(cameras, states, seal), ensure_ascii=False, indent=2)


def described(cameras: Cameras, states: Mapping[str, Reported], seal: Seal) -> list[dict[str, Any]]:
    """Return what is known about each camera."""
    return [_described(name, record, states.get(name), seal) for name, record in cameras.items()]


def aligned(rows: Iterable[Sequence[str]]) -> str:
    """Return rows as columns of equal width; a longer cell, such as a long name, moves only its own row."""
    rows = list(rows)
    widths = [min(_WIDEST, max(map(_width, column))) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _described(
    name: str, record: CameraRecord | RecordError, report: Reported | None, seal: Seal
) -> dict[str, Any]:
    if isinstance(record, RecordError):
        return {"name": name, "state": "bad-record", "reason": str(record)}
    link, trouble = fields.link_of(record, seal)
    state, reason = report or ("never-seen", None)
    if record.paused:
        state, reason = "paused", None
    found = {"name": name, "state": state, "reason": reason or trouble, **fields.plain(record)}
    return found | {"link": link, "partition": record.partition, "group": record.group}


def _width(text: str) -> int:
    """Return the columns of a terminal that a text takes."""
    wide = sum(unicodedata.east_asian_width(each) in "WF" for each in text)
    return len(text) + wide - sum(unicodedata.combining(each) > 0 for each in text)
