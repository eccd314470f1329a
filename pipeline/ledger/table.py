"""What the command prints: a table for people, JSON for scripts, a line for each difference."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from pipeline.ledger.balance import Balance, Difference, Row

_WORDS: Final = {
    "producer": ("captured", "published"),
    "consumer": ("published", "labelled"),
    "video": ("labelled", "shown"),
}
_SHOWN: Final = 5  # ranges of numbers, or cameras, in a line


def table(balances: Iterable[Balance]) -> str:
    """Return all cameras' rows as equations."""
    lines = []
    for balance in balances:
        name = balance.camera
        for row in balance.rows:
            lines.append((name, f"{row.service} {row.instance}".strip(), equation(row)))
            name = ""
    widths = [max((len(line[column]) for line in lines), default=0) for column in (0, 1)]
    return "\n".join(f"{name:{widths[0]}}  {stage:{widths[1]}}  {text}" for name, stage, text in lines)


def equation(row: Row) -> str:
    """Return a row as an equation."""
    before, after = _WORDS[row.service]
    left = f"{before} {row.came}" + (f" + read twice {row.twice}" if row.twice else "")
    right = [f"{after} {row.went}"]
    if row.dropped:
        reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(row.dropped.items()))
        right.append(f"dropped {row.dropped.total()} ({reasons})")
    if row.pending:
        right.append(f"pending {row.pending}")
    if row.difference:
        right.append(f"NOT ACCOUNTED FOR {row.difference}")
    return f"{left} = {' + '.join(right)}"


def differences(balances: Iterable[Balance]) -> Iterator[str]:
    """Yield a line for each difference."""
    for balance in balances:
        for row in balance.rows:
            for each in row.differences:
                yield f"camera {balance.camera}: {_line(each)}"


def unnumbered(balances: Iterable[Balance]) -> Iterator[str]:
    """Yield a line if frames of some cameras have no numbers."""
    names = [balance.camera for balance in balances if not all(row.is_numbered for row in balance.rows)]
    if names:
        more = f" and {rest} more" if (rest := len(names) - _SHOWN) > 0 else ""
        yield (
            f"frames of {', '.join(names[:_SHOWN])}{more} have no numbers, so they are counted but not"
            " compared: they are in the original's format, or an older version has sent them"
        )


def as_json(balances: Sequence[Balance], notes: Sequence[str], *, ok: bool) -> str:
    """Return everything as JSON."""
    cameras = [
        {"camera": balance.camera, "stages": [_fields(row) for row in balance.rows]} for balance in balances
    ]
    return json.dumps({"ok": ok, "cameras": cameras, "notes": notes}, ensure_ascii=False, indent=2)


def _line(difference: Difference) -> str:
    count = difference.count
    frames = "1 frame" if count == 1 else f"{count} frames"
    return (
        f"{frames} of {difference.writer} did not reach {difference.reader}, which read on all the time:"
        f" missed {_numbers(difference)} of run {difference.run}; look for what removes messages between"
        " them, and at streamlens_poison_messages_total"
    )


def _numbers(difference: Difference) -> str:
    shown = [str(first) if first == last else f"{first}-{last}" for first, last in difference.frames[:_SHOWN]]
    more = [f"and {rest} more"] if (rest := len(difference.frames[_SHOWN:])) else []
    return ", ".join(shown + more)


def _fields(row: Row) -> dict[str, Any]:
    return {
        "service": row.service,
        "instance": row.instance or None,
        "in": row.came,
        "out": row.went,
        "dropped": dict(row.dropped),
        "pending": row.pending,
        "twice": row.twice,
        "difference": row.difference,
        "missing": [
            {"from": each.writer, "to": each.reader, "run": each.run, "numbers": each.frames}
            for each in row.differences
        ],
    }
