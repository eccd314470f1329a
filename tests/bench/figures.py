"""A measured figure, and how it is shown."""

import importlib.metadata
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` in `unit`, measured beside `against`; `goal` is its upper bound, `least` its lower one."""

    name: str
    value: float
    unit: str
    against: str
    goal: float | None = None
    least: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        if self.goal is not None:
            return self.value <= self.goal
        return None if self.least is None else self.value >= self.least

    @property
    def bound(self) -> str:
        """The goal as text; empty where there is none."""
        if self.goal is not None:
            return f"<= {self.goal:g}"
        return "" if self.least is None else f">= {self.least:g}"


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as lines for the screen."""
    rows = [("figure", "value", "goal", "", "against")]
    for figure in figures:
        met = {None: "", True: "met", False: "NOT MET"}[figure.met]
        rows.append((figure.name, f"{figure.value:.3g} {figure.unit}", figure.bound, met, figure.against))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)).rstrip()
        for row in rows
    )


def save(figures: Sequence[Figure], path: Path) -> None:
    """Write the figures as JSON, with the machine and the versions they were measured with."""
    packages = ("confluent-kafka", "opencv-python-headless", "starlette", "uvicorn", "uvloop")
    versions = {name: importlib.metadata.version(name) for name in packages}
    fields = {
        "machine": {"processors": os.cpu_count(), "kind": platform.machine(), "system": platform.platform()},
        "versions": {"python": platform.python_version(), **versions},
        "figures": [{**asdict(figure), "met": figure.met} for figure in figures],
    }
    path.write_text(json.dumps(fields, indent=2) + "\n")
