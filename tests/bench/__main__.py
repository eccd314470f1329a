"""Measures everything, or only the named kinds: `python -m tests.bench stamp streams`."""

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

from pipeline.service import process
from tests.bench import (
    age,
    cameras,
    capacity,
    containers,
    cost,
    encode,
    floods,
    grid,
    hour,
    models,
    records,
    recovery,
    sockets,
    stamp,
    start,
    status,
    streams,
    threads,
    twelve,
)
from tests.bench.figures import Figure, Measured
from tests.bench.machine import machine, versions
from tests.bench.pairs import ROUNDS, round_count
from tests.bench.report import lines_about, markdown, save, splice, table
from tests.bench.scaling import kind as scaling
from tests.bench.system import broker_kind
from tests.bench.training import exiting
from tests.bench.training import kind as training
from tests.parts import ROOT


class Kind(NamedTuple):
    """Figures that are measured together; those that are not `regular` are measured only when named."""

    figures: Sequence[Figure]
    measure: Callable[[], list[Measured]]
    regular: bool = True


KINDS: Final = {
    "age": Kind(age.FIGURES, age.measure),
    "cost": Kind(cost.FIGURES, cost.measure),
    "threads": Kind(threads.FIGURES, threads.measure),
    "stamp": Kind(stamp.FIGURES, stamp.measure),
    "encode": Kind(encode.FIGURES, encode.measure),
    "streams": Kind(streams.FIGURES, streams.measure),
    "sockets": Kind(sockets.FIGURES, sockets.measure),
    "grid": Kind(grid.FIGURES, grid.measure),
    "start": Kind(start.FIGURES, start.measure),
    "capacity": Kind(capacity.FIGURES, capacity.measure),
    "models": Kind(models.FIGURES, models.measure),
    "containers": Kind(containers.FIGURES, containers.measure),
    "cameras": Kind(cameras.FIGURES, cameras.measure, regular=False),
    "twelve": Kind(twelve.FIGURES, twelve.measure, regular=False),
    "floods": Kind(tuple(floods.FIGURES.values()), floods.measure, regular=False),
    "records": Kind(records.FIGURES, records.measure, regular=False),
    "status": Kind(status.FIGURES, status.measure, regular=False),
    "recovery": Kind(recovery.FIGURES, recovery.measure, regular=False),
    "scaling": Kind(scaling.FIGURES, scaling.measure, regular=False),
    "training": Kind(training.FIGURES, training.measure),
    "exits": Kind(exiting.FIGURES, exiting.measure, regular=False),
    "hour": Kind(hour.FIGURES, hour.measure, regular=False),
}
REGULAR: Final = {name: kind.figures for name, kind in KINDS.items() if kind.regular}


def main() -> None:
    """Measure, print a table and write bench.json."""
    asked = parse(sys.argv[1:])
    chosen = {name: KINDS[name] for name in asked.kinds or REGULAR}
    if "hour" in chosen:
        chosen["hour"] = chosen["hour"]._replace(measure=partial(hour.measure, asked.minutes))
    process.tune()  # mapping memory for each image would flatter code that avoids whole images
    measured, broken = _measure(chosen)

    kinds = {name: kind.figures for name, kind in chosen.items()}
    about = {"machine": machine(), "versions": versions(broker_kind())}
    print(table(kinds, measured), *lines_about(about), sep="\n")
    save(ROOT / "bench.json", kinds, measured, about)
    if broken:
        sys.exit(f"broken: {', '.join(broken)}")
    if asked.save:
        page = ROOT / "docs/benchmarks.md"
        page.write_text(splice(page.read_text(), markdown(kinds, measured, about)))


def parse(arguments: list[str]) -> argparse.Namespace:
    """Return the requested `kinds`, the `minutes` of the hour, and whether to `save` the table.

    Wrong arguments end the program with one line.
    """
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    names = ", ".join(name if kind.regular else f"{name} (only when named)" for name, kind in KINDS.items())
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {names}")
    parser.add_argument("--minutes", type=float, default=hour.MINUTES, help="length of the hour")
    parser.add_argument("--save", action="store_true", help="also write the table into docs/benchmarks.md")
    asked = parser.parse_args(arguments)
    if unknown := sorted(set(asked.kinds) - set(KINDS)):
        sys.exit(f"no such benchmark: {', '.join(unknown)}; expected {names}")
    if asked.save and (asked.kinds or round_count() < ROUNDS):
        sys.exit("docs/benchmarks.md contains the figures of one run: save all of them, or none")
    return asked


def _measure(kinds: dict[str, Kind]) -> tuple[list[Measured], list[str]]:
    """Return the measured figures, and the kinds that broke; the others are still measured."""
    measured: list[Measured] = []
    broken = []
    for name, kind in kinds.items():
        print(f"measuring {name} ...", flush=True)
        begun = time.monotonic()
        try:
            measured += kind.measure()
        except Exception:
            traceback.print_exc()
            broken.append(name)
        print(f"{name} took {time.monotonic() - begun:.0f} s", flush=True)
    return measured, broken


if __name__ == "__main__":
    main()
