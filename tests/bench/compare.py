"""Measures another checkout of this project next to this one.

The two take turns, kind by kind and round by round, each in its own processes, so that other load on the
machine affects both alike. The other checkout may be of any version whose benchmarks write bench.json.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.bench.__main__ import KINDS, REGULAR
from tests.bench.figures import shown
from tests.bench.pairs import round_count
from tests.bench.report import aligned
from tests.parts import ROOT

HEAD: Final = ("kind", "figure", "base", "here", "here / base", "spread of the ratio")


@dataclass(frozen=True, slots=True)
class Checkout:
    """A checkout, and the Python that runs its benchmarks: from its own .venv, or otherwise from ours."""

    name: str
    folder: Path

    @property
    def python(self) -> Path:
        """The interpreter."""
        own = self.folder / ".venv/bin/python"
        return own if own.exists() else Path(sys.executable)

    def measure(self, kind: str) -> list[dict[str, Any]]:
        """Return the figures of one round of a kind, in the form of bench.json; empty if it breaks."""
        file = self.folder / "bench.json"
        file.unlink(missing_ok=True)
        run = subprocess.run(
            [str(self.python), "-m", "tests.bench", kind],
            cwd=self.folder,
            env={**os.environ, "ROUNDS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if run.returncode != 0 or not file.exists():
            print(f"--- {kind} broke in {self.folder}\n{run.stdout[-3000:]}", flush=True)
            return []
        figures: list[dict[str, Any]] = json.loads(file.read_text())["figures"]
        return figures


@dataclass(slots=True)
class Pair:
    """A figure's values in each round, in the base and here."""

    unit: str
    base: list[float] = field(default_factory=list)
    here: list[float] = field(default_factory=list)


class Comparison:
    """The figures that both checkouts have measured."""

    def __init__(self) -> None:
        self._pairs: dict[tuple[str, str], Pair] = {}

    def add(self, kind: str, base: Iterable[dict[str, Any]], here: Iterable[dict[str, Any]]) -> None:
        """Add a round of one kind. A figure that only one of them has is left out."""
        before = {figure["name"]: figure["median"] for figure in base}
        for figure in here:
            if (name := figure["name"]) in before:
                pair = self._pairs.setdefault((kind, name), Pair(figure["unit"]))
                pair.base.append(before[name])
                pair.here.append(figure["median"])

    def rows(self) -> list[tuple[str, ...]]:
        """Return a row with the columns of `HEAD` for each figure."""
        return [(kind, name, *_cells(pair)) for (kind, name), pair in self._pairs.items()]

    def save(self, path: Path) -> None:
        """Write every round's values as JSON."""
        figures = [
            {"kind": kind, "name": name, "unit": pair.unit, "base": pair.base, "here": pair.here}
            for (kind, name), pair in self._pairs.items()
        ]
        path.write_text(json.dumps({"figures": figures}, indent=2) + "\n")


def _cells(pair: Pair) -> tuple[str, ...]:
    base, here = statistics.median(pair.base), statistics.median(pair.here)
    ratios = [now / before for now, before in zip(pair.here, pair.base, strict=True) if before]
    ratio = f"{statistics.median(ratios):.3g}" if ratios else ""
    spread = f"{min(ratios):.3g} .. {max(ratios):.3g}" if len(ratios) > 1 else ""
    return (f"{shown(base)} {pair.unit}", f"{shown(here)} {pair.unit}", ratio, spread)


def compare(base: Checkout, here: Checkout, kinds: Sequence[str], rounds: int) -> Comparison:
    """Measure both in turns; alternate rounds begin with the other one."""
    comparison = Comparison()
    for number in range(rounds):
        for kind in kinds:
            turns = (base, here) if number % 2 == 0 else (here, base)
            found = {}
            for checkout in turns:
                print(f"round {number + 1} of {rounds}: {kind} in {checkout.name}", flush=True)
                found[checkout.name] = checkout.measure(kind)
            comparison.add(kind, found[base.name], found[here.name])
    return comparison


def main() -> None:
    """Measure, print a table and write bench-base.json."""
    parser = argparse.ArgumentParser(prog="make bench BASE=PATH", description=__doc__)
    parser.add_argument("base", type=Path, metavar="PATH", help="the other checkout")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)}")
    asked = parser.parse_args()
    if unknown := sorted(set(asked.kinds) - set(KINDS)):
        sys.exit(f"no such benchmark: {', '.join(unknown)}; expected {', '.join(KINDS)}")
    if not (asked.base / "tests/bench/__main__.py").exists():
        sys.exit(f"BASE={asked.base}: expected a checkout of this project, found no tests/bench in it")
    base, here = Checkout("base", asked.base.resolve()), Checkout("here", ROOT)

    kinds = asked.kinds or list(REGULAR)
    comparison = compare(base, here, kinds, round_count())

    rows = comparison.rows()
    print("", *aligned([HEAD, *rows]), f"base: {base.folder}, with {base.python}", sep="\n")
    comparison.save(ROOT / "bench-base.json")
    if absent := [kind for kind in kinds if kind not in {row[0] for row in rows}]:
        sys.exit(f"not measured in both: {', '.join(absent)}")


if __name__ == "__main__":
    main()
