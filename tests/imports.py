"""Finds the modules that importing a module of this project imports, by reading its source."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
PACKAGES: Final = ("pipeline", "producer", "consumer", "video", "tfserving", "training", "compose")

HEAVY: Final = ("tensorflow", "keras", "tensorflow_serving.apis")
"""TensorFlow, and packages that import it."""


def imports_tensorflow(module: Path) -> bool:
    """Whether importing a module imports TensorFlow; for a test module, its conftest.py files count."""
    return any(_reaches(path) for path in (module, *_conftests(module)))


def heavy() -> list[str]:
    """Return the paths of the services' modules that import TensorFlow."""
    modules = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return sorted(str(path.relative_to(ROOT)) for path in modules if _reaches(path))


def _conftests(module: Path) -> list[Path]:
    return [
        path
        for folder in module.parents
        if folder.is_relative_to(ROOT) and (path := folder / "conftest.py").exists()
    ]


@cache
def reached(module: Path) -> frozenset[Path]:
    """Return the files of this project that importing a module runs, also through others."""
    seen, waiting = {module}, [module]
    while waiting:
        found = {path for name in _imported(waiting.pop()) for path in _files(name)} - seen
        seen |= found
        waiting += found
    return frozenset(seen)


def packages(module: Path) -> frozenset[str]:
    """Return the names of the packages of others that importing a module imports, also through ours."""
    tops = {name.partition(".")[0] for path in reached(module) for name in _imported(path)}
    return frozenset(tops - sys.stdlib_module_names - {*PACKAGES})


@cache
def _reaches(module: Path) -> bool:
    """Whether a module imports TensorFlow, itself or through others of this project."""
    return any(
        name == heavy or name.startswith(f"{heavy}.")
        for path in reached(module)
        for name in _imported(path)
        for heavy in HEAVY
    )


@cache
def _files(name: str) -> tuple[Path, ...]:
    """Return the files of this project that importing a dotted name runs."""
    parts = name.split(".")
    found = []
    for length in range(1, len(parts) + 1):
        folder = ROOT.joinpath(*parts[:length])
        found += [path for path in (folder / "__init__.py", folder.with_suffix(".py")) if path.exists()]
    return tuple(found)


@cache
def _imported(module: Path) -> tuple[str, ...]:
    """Return the dotted names that importing a module imports; some end with the name of an object."""
    tree = ast.parse(module.read_bytes())
    return tuple(name for statement in _run_on_import(tree.body) for name in _names(statement))


def _run_on_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that an import runs: all except those in functions and those for type checkers."""
    for statement in body:
        yield statement
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                continue
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                continue
        for field in ("body", "orelse", "finalbody"):
            yield from _run_on_import(getattr(statement, field, []))


def _names(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=str(module), names=names, level=0):
            return [f"{module}.{alias.name}" for alias in names]
    return []


if __name__ == "__main__":
    # The files that the unit tests' coverage report omits.
    print(",".join(heavy()))
