"""Draws what a test of autoscaling recorded: `python -m tests.bench.scaling.chart FILE.csv FILE.svg`.

The first column of the file is the time in s, the last one the age of labels in s; the others are replicas.
"""

import csv
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from tests.bench.scaling.simulated import LABEL_BOUND

WIDTH: Final = 800
_LEFT, _RIGHT, _TOP, _HEIGHT, _GAP = 50, 110, 15, 120, 40
_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
_TEXT: Final = 'font-family="sans-serif" font-size="12"'

Points = list[tuple[float, float]]


def draw(rows: Sequence[dict[str, str]], bound: float) -> str:
    """Return an SVG: the replicas above, the age of labels with its bound below."""
    seconds, *names, age = rows[0]
    times = [float(row[seconds]) for row in rows]
    ages = list(_without_gaps(times, [row[age] for row in rows]))
    replicas = [[(time, float(row[name])) for time, row in zip(times, rows, strict=True)] for name in names]
    most = max(value for points in replicas for _, value in points)
    oldest = max([bound, *(value for points in ages for _, value in points)])
    below = _TOP + _HEIGHT + _GAP
    lines = [
        *_axes(_TOP, most, "replicas", times[-1]),
        *_axes(below, oldest, "s, age of labels", times[-1]),
        _line(
            [(0, bound), (times[-1], bound)], below, oldest, times[-1], 'stroke="#999" stroke-dasharray="4"'
        ),
        *(_line(points, below, oldest, times[-1], 'stroke="#000"') for points in ages),
    ]
    for number, (name, points) in enumerate(zip(names, replicas, strict=True)):
        colour = _COLOURS[number % len(_COLOURS)]
        lines.append(_line(list(_steps(points)), _TOP, most, times[-1], f'stroke="{colour}"'))
        at = f'x="{WIDTH - _RIGHT + 10}" y="{_TOP + 15 + 18 * number}"'
        lines.append(f'<text {at} fill="{colour}" {_TEXT}>{name}</text>')
    height = below + _HEIGHT + 30
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}">'
    return "\n".join([head, f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>', *lines, "</svg>\n"])


def _without_gaps(times: Sequence[float], values: Sequence[str]) -> Iterator[Points]:
    for is_known, group in groupby(zip(times, values, strict=True), lambda each: bool(each[1])):
        if is_known:
            yield [(time, float(value)) for time, value in group]


def _axes(top: int, most: float, unit: str, last: float) -> Iterator[str]:
    bottom, right = top + _HEIGHT, WIDTH - _RIGHT
    yield f'<path d="M{_LEFT} {top}V{bottom}H{right}" fill="none" stroke="#000"/>'
    yield f'<text x="{_LEFT - 8}" y="{top + 10}" text-anchor="end" {_TEXT}>{most:.3g}</text>'
    yield f'<text x="{_LEFT - 8}" y="{bottom}" text-anchor="end" {_TEXT}>0</text>'
    yield f'<text x="{_LEFT + 8}" y="{top - 4}" {_TEXT}>{unit}</text>'
    yield f'<text x="{right}" y="{bottom + 16}" text-anchor="end" {_TEXT}>{last:.0f} s</text>'


def _line(points: Points, top: int, most: float, last: float, style: str) -> str:
    places = " ".join(
        f"{_LEFT + (WIDTH - _LEFT - _RIGHT) * time / last:.1f},{top + _HEIGHT * (1 - value / most):.1f}"
        for time, value in points
    )
    return f'<polyline points="{places}" fill="none" {style}/>'


def _steps(points: Points) -> Iterator[tuple[float, float]]:
    before = points[0][1]
    for time, value in points:
        if value != before:
            yield time, before
        yield time, value
        before = value


def main() -> None:
    """Draw a file; the bound is that of the simulation."""
    source, target = map(Path, sys.argv[1:])
    with source.open(newline="") as file:
        target.write_text(draw(list(csv.DictReader(file)), LABEL_BOUND))


if __name__ == "__main__":
    main()
