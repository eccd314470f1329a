"""docs/security.md, every limit on what comes from outside, written by `python -m tests.limits.table`.

A row names a constant or a setting in the code, so its value is the code's own. Each limit is exceeded by a
test with the mark `pytest.mark.exceeds(NAME)`. Every constant whose name says that it is a limit
(`..MOST..`, `..LONGEST..`, `..LARGEST..`) has a row here, or is one of `OURS`.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from tests.imports import ROOT
from tests.limits import browsers, cameras, cameras_as_data, messages, models, services, stand_in, training
from tests.limits.limit import Limit

PAGE: Final = ROOT / "docs/security.md"
SERVICES: Final = ("pipeline", "producer", "consumer", "video", "tfserving", "training", "compose")
SECTIONS: Final[Mapping[str, Sequence[Limit]]] = {
    "Cameras": cameras.LIMITS,
    "Records of cameras": cameras_as_data.LIMITS,
    "Cameras with ONVIF, in the command for cameras": cameras_as_data.ONVIF,
    "Messages from Kafka": messages.LIMITS,
    "Model servers and labels": models.LIMITS,
    "Browsers": browsers.LIMITS,
    "The training service": training.LIMITS,
    "Clients of the stand-in for TensorFlow Serving": stand_in.LIMITS,
    "Probes": services.LIMITS,
    "The ledger's command": services.LEDGER,
}

OURS: Final = cameras.OURS | messages.OURS | models.OURS | browsers.OURS | stand_in.OURS | training.OURS
"""Constants that bound our own work, and nothing that comes from outside."""

_HEAD: Final = """\
# Security: the limits

Everything that comes from outside is limited: by size, number, length or time. `make test` compares these
tables with the code and exceeds each limit once. Where a setting is named, it changes the limit; its range is
in the README of its service. What is counted as skipped is in `streamlens_poison_messages_total`, what is
dropped in the [ledger](../pipeline/README.md); connections of browsers that are closed are counted in
[the video server's metrics](../video/README.md#metrics).
"""


def limits() -> Iterator[Limit]:
    """Return all rows."""
    for rows in SECTIONS.values():
        yield from rows


def page() -> str:
    """Return the page."""
    return "\n".join([_HEAD, *(_section(title, rows) for title, rows in SECTIONS.items() if rows)])


def _section(title: str, rows: Sequence[Limit]) -> str:
    lines = "".join(
        f"| {row.what} | {shown(row.value, row.unit)} | {row.setting and f'`{row.setting}`'} | {row.seen} |\n"
        for row in rows
    )
    return f"## {title}\n\n| limit | default | setting | beyond it |\n| --- | --- | --- | --- |\n{lines}"


def shown(value: float, unit: str) -> str:
    """Return a number as people write it."""
    if unit == "bytes":
        for size, name in ((2**20, "MiB"), (2**10, "KiB")):
            if value % size == 0:
                return f"{value // size:,} {name}"
    if unit == "s" and value > 60:
        size, name = next((size, name) for size, name in ((3600, "h"), (60, "min")) if value >= size)
        return f"{value / size:g} {name}"
    return f"{value:,g} {unit}".strip() if isinstance(value, float) else f"{value:,} {unit}".strip()


@cache
def constants() -> frozenset[str]:
    """Return the full names of all constants whose names say that they are limits."""
    return frozenset(
        f"{_module(path)}.{target.id}"
        for service in SERVICES
        for path in (ROOT / service).rglob("*.py")
        for node in ast.parse(path.read_text()).body
        for target in (node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)])
        if isinstance(target, ast.Name) and re.search("MOST|LONGEST|LARGEST", target.id)
    )


@cache
def exceeded() -> frozenset[str]:
    """Return the names in all marks `pytest.mark.exceeds(NAME)`."""
    return frozenset(
        argument.value
        for path in (ROOT / "tests").rglob("test_*.py")
        if "node_modules" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.exceeds"
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    )


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


if __name__ == "__main__":
    PAGE.write_text(page())
