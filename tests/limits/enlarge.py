"""Lets the services' functions see a larger limit, and nothing else."""

import ast
import gc
import inspect
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

from tests.limits.table import SERVICES


def enlarge(name: str, factor: int) -> None:
    """Multiply a limit such as `pipeline.wire.jpeg.MOST` wherever the services' functions read it.

    These functions read other names, under which the larger limit is kept; the constant stays as it is. Where
    one of these names stands for another constant, that keeps its value.
    """
    path, _, constant = name.rpartition(".")
    owner = sys.modules[path]
    value = getattr(owner, constant) * factor
    setattr(owner, _larger(constant), value)
    for function in [each for each in gc.get_objects() if isinstance(each, FunctionType)]:
        module = sys.modules.get(str(function.__module__))
        if module is None or module.__name__.partition(".")[0] not in SERVICES:
            continue
        names = set(_names(module, path, constant))
        if not names and owner not in vars(module).values():
            continue
        known = function.__globals__
        for each in names | ({constant} & known.keys()):
            known[_larger(each)] = value if each in names else known[each]
        for other in [each for each in known.values() if isinstance(each, ModuleType) and each is not owner]:
            if hasattr(other, constant):
                setattr(other, _larger(constant), getattr(other, constant))
        function.__code__ = _renamed(function.__code__, {each: _larger(each) for each in names | {constant}})
        _replace_defaults(function, names, value)


def _larger(constant: str) -> str:
    return f"{constant} enlarged"


def _names(module: ModuleType, path: str, constant: str) -> Iterator[str]:
    """Yield the names by which a module knows the constant as its own, or as one that it imports."""
    if module.__name__ == path:
        yield constant
    for node in _nodes(module):
        if isinstance(node, ast.ImportFrom) and node.module == path:
            yield from (each.asname or each.name for each in node.names if each.name == constant)


@cache
def _nodes(module: ModuleType) -> list[ast.AST]:
    return list(ast.walk(ast.parse(inspect.getsource(module))))


def _renamed(code: CodeType, names: Mapping[str, str]) -> CodeType:
    return code.replace(
        co_names=tuple(names.get(each, each) for each in code.co_names),
        co_consts=tuple(
            _renamed(each, names) if isinstance(each, CodeType) else each for each in code.co_consts
        ),
    )


def _replace_defaults(function: FunctionType, names: set[str], value: Any) -> None:
    """Replace the defaults that are written as one of the names."""
    line = function.__code__.co_firstlineno
    for node in _nodes(sys.modules[function.__module__]):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name != function.__name__:
            continue
        if min([node.lineno, *(each.lineno for each in node.decorator_list)]) != line:
            continue
        function.__defaults__ = tuple(
            value if isinstance(written, ast.Name) and written.id in names else default
            for written, default in zip(node.args.defaults, function.__defaults__ or (), strict=True)
        )
        for argument, written in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
            if isinstance(written, ast.Name) and written.id in names and function.__kwdefaults__:
                function.__kwdefaults__[argument.arg] = value
