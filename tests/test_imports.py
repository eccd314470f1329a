"""The structure of the code: no import cycles, and no service that imports another."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.parts import ROOT

SERVICES = ("producer", "consumer", "video", "tfserving", "training")
PACKAGES = ("pipeline", *SERVICES, "compose")
FOLDERS = [
    folder.parent.relative_to(ROOT)
    for name in PACKAGES
    for folder in sorted((ROOT / name).rglob("__init__.py"))
]


def module(path: Path) -> str:
    """Return a module's name in dots."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


FILES = {module(path): path for name in PACKAGES for path in (ROOT / name).rglob("*.py")}


def imported(path: Path) -> Iterator[str]:
    """Yield the names of our modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                full = f"{node.module}.{name.name}"
                yield full if full in FILES else node.module
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


IMPORTS = {name: set(imported(path)) & FILES.keys() for name, path in FILES.items()}


def cycle(graph: dict[str, set[str]]) -> list[str]:
    """Return one cycle of a graph, with the first node repeated at the end, or an empty list."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_a_cycle_is_found() -> None:
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) in (["b", "c", "b"], ["c", "b", "c"])


def test_there_are_no_import_cycles_between_modules() -> None:
    assert cycle(IMPORTS) == []


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_there_are_no_import_cycles_between_subpackages(folder: Path) -> None:
    """A folder's modules and subpackages, each of these as one node."""
    prefix = ".".join(folder.parts) + "."
    graph: dict[str, set[str]] = {}
    for name, names in IMPORTS.items():
        if name.startswith(prefix):
            node = name.removeprefix(prefix).partition(".")[0]
            nodes = {
                other.removeprefix(prefix).partition(".")[0] for other in names if other.startswith(prefix)
            }
            graph.setdefault(node, set()).update(nodes - {node})

    assert cycle(graph) == []


@pytest.mark.parametrize("service", SERVICES)
def test_services_do_not_import_each_other(service: str) -> None:
    others = {
        name.partition(".")[0]
        for importer, names in IMPORTS.items()
        if importer.partition(".")[0] == service
        for name in names
    }

    assert others <= {service, "pipeline"}


def test_shared_code_imports_no_service() -> None:
    others = {
        name.partition(".")[0]
        for importer, names in IMPORTS.items()
        if importer.startswith("pipeline")
        for name in names
    }

    assert others == {"pipeline"}
