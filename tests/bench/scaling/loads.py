"""The loads: each a CSV file in loads/, of which every row lasts for some seconds."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

FOLDER: Final = Path(__file__).parent / "loads"
STANDS_FOR: Final = {"recorded": 6}
"""How many cameras each one of a load stands for: two processors carry too few to need more replicas."""


class Load(NamedTuple):
    """What comes in one second."""

    cameras: int
    fps: float
    model: float
    """Seconds that a model server needs for a frame."""
    computing: float
    """The share of these in which its processor computes; the rest it waits, as for a GPU."""
    bad: float
    """Messages per second that are not frames."""


def loads() -> dict[str, list[Load]]:
    """Return each load by its name, second by second."""
    return {path.stem: list(_seconds(path)) for path in sorted(FOLDER.glob("*.csv"))}


def _seconds(path: Path) -> Iterator[Load]:
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    for row in csv.DictReader(lines):
        cameras = int(row["cameras"]) * STANDS_FOR.get(path.stem, 1)
        load = Load(cameras, *(float(row[name]) for name in Load._fields[1:]))
        yield from [load] * int(row["seconds"])
