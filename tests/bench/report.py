"""Reports of the figures: a table on the screen, a JSON file, and the table in docs/benchmarks.md."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from tests.bench.figures import Figure, Measured, Side, shown

Kinds = Mapping[str, Sequence[Figure]]
"""The figures of each kind."""

HEAD: Final = ("kind", "figure", "median", "spread", "goal", "", "ours", "theirs", "measured against")
BEGIN: Final = "<!-- written by `make bench SAVE=yes` -->"
END: Final = "<!-- end of the last run -->"


def rows(kinds: Kinds, measured: Sequence[Measured]) -> list[tuple[str, ...]]:
    """Return a row with the columns of `HEAD` for each figure of these kinds, even if it was not measured."""
    found = {each.figure.name: each for each in measured}
    return [
        (kind, *_row(figure, found.get(figure.name))) for kind, figures in kinds.items() for figure in figures
    ]


def table(kinds: Kinds, measured: Sequence[Measured]) -> str:
    """Return the figures as lines for the screen."""
    return "\n".join(aligned([HEAD, *rows(kinds, measured)]))


def aligned(lines: Sequence[tuple[str, ...]]) -> list[str]:
    """Return rows of cells as lines with aligned columns."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]) - 1)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, [*widths, 0], strict=True)).rstrip()
        for line in lines
    ]


def markdown(kinds: Kinds, measured: Sequence[Measured], about: Mapping[str, Mapping[str, str]]) -> str:
    """Return the figures as a Markdown table, with the machine and the versions below it."""
    lines = [HEAD, ("---",) * len(HEAD), *rows(kinds, measured)]
    return "\n\n".join(["\n".join(f"| {' | '.join(line)} |" for line in lines), *lines_about(about)])


def lines_about(about: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return a line about the machine, and one about the versions."""
    return [", ".join(f"{name} {value}" for name, value in each.items()) for each in about.values()]


def splice(text: str, new: str) -> str:
    """Return a page with the text between its two marks replaced."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin, "the page has no mark where the table begins"
    assert end, "the page has no mark where the table ends"
    return f"{before}{BEGIN}\n\n{new}\n\n{END}{after}"


def save(
    path: Path, kinds: Kinds, measured: Sequence[Measured], about: Mapping[str, Mapping[str, str]]
) -> None:
    """Write the figures as JSON, with the machine and the versions they were measured with."""
    kind_of = {figure.name: kind for kind, figures in kinds.items() for figure in figures}
    fields = {**about, "figures": [{"kind": kind_of[each.figure.name], **_fields(each)} for each in measured]}
    path.write_text(json.dumps(fields, indent=2) + "\n")


def _row(figure: Figure, measured: Measured | None) -> tuple[str, ...]:
    if measured is None:
        return (figure.name, "not measured", "", figure.goal, "", "", "", "")
    met = {None: "", True: "met", False: "NOT MET"}[measured.met]
    least, most = shown(min(measured.rounds)), shown(max(measured.rounds))
    spread = f"{least} .. {most}" if len(measured.rounds) > 1 else ""
    sides = [str(side or "") for side in (measured.ours, measured.theirs)]
    return (
        figure.name,
        f"{shown(measured.value)} {figure.unit}",
        spread,
        figure.goal,
        met,
        *sides,
        measured.against,
    )


def _fields(measured: Measured) -> dict[str, Any]:
    return {
        "name": measured.figure.name,
        "unit": measured.figure.unit,
        "goal": measured.figure.goal,
        "met": measured.met,
        "against": measured.against,
        "median": measured.value,
        "min": min(measured.rounds),
        "max": max(measured.rounds),
        "rounds": measured.rounds,
        "ours": _side(measured.ours),
        "theirs": _side(measured.theirs),
    }


def _side(side: Side | None) -> dict[str, Any] | None:
    return None if side is None else {**asdict(side), "median": side.median}
