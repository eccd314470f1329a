"""Runs a model's code, and says where it failed in the words of who wrote it."""

import ast
import linecache
import sys
import types
from collections.abc import Mapping
from types import CodeType, TracebackType
from typing import Any, Final

from training.code.child.reason import reason

IMPORTS: Final = "<imports>"
CODE: Final = "<code>"
_TEXTS: Final = {IMPORTS: "imports", CODE: "code"}
_MODULE: Final = "model_code"
_LAST: Final = "__last_line__"


class UserError(Exception):
    """An error of the user's code, in one line."""


def execute(
    imports: str, code: str, names: Mapping[str, Any], *, distributed: bool = False
) -> dict[str, Any]:
    """Run the two texts with the predefined names, and return all names they leave.

    In `distributed` code, `__last_line__` is the value of the last line, if that is an expression or an
    assignment. Raises UserError.
    """
    module = types.ModuleType(_MODULE)
    sys.modules[_MODULE] = module  # data classes and Keras look up the module of a class
    module.__dict__.update(names)
    for name, text in ((IMPORTS, imports), (CODE, code)):
        # TensorFlow reads the source of functions that it turns into graphs.
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        _run(name, text, module.__dict__, keep_last=distributed and name == CODE)
    return module.__dict__


def parse(imports: str, code: str) -> None:
    """Raise UserError if one of the two texts is not Python."""
    for name, text in ((IMPORTS, imports), (CODE, code)):
        _compiled(name, text, keep_last=False)


def _run(name: str, text: str, namespace: dict[str, Any], *, keep_last: bool) -> None:
    code = _compiled(name, text, keep_last=keep_last)
    try:
        exec(code, namespace)  # noqa: S102  # the task of this process
    except BaseException as error:  # SystemExit and KeyboardInterrupt too
        raise UserError(f"{where(error)}: {reason(error)}") from None


def _compiled(name: str, text: str, *, keep_last: bool) -> CodeType:
    try:
        tree = ast.parse(text, name)
        if keep_last and tree.body:
            _keep_last(tree)
        return compile(tree, name, "exec")
    except (RecursionError, MemoryError):
        raise UserError(f"the {_TEXTS[name]}: it is nested too deeply") from None
    except SyntaxError as error:
        raise UserError(f"{_place(name, error.lineno)}: {reason(error)}") from None
    except ValueError as error:  # such as a null byte
        raise UserError(f"the {_TEXTS[name]}: {reason(error)}") from None


def _keep_last(tree: ast.Module) -> None:
    """Let the last statement's value have a name, too."""
    last = tree.body[-1]
    if isinstance(last, ast.Expr):
        tree.body[-1] = ast.Assign([ast.Name(_LAST, ast.Store())], last.value)
    elif isinstance(last, ast.Assign):
        last.targets.insert(0, ast.Name(_LAST, ast.Store()))
    ast.fix_missing_locations(ast.copy_location(tree.body[-1], last))


def where(error: BaseException) -> str:
    """Return the innermost line of the user's texts that an error passed."""
    found = "the code"
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name in _TEXTS:
            found = _place(name, trace.tb_lineno)
        trace = trace.tb_next
    return found


def _place(name: str, line: int | None) -> str:
    return f"line {line} of the {_TEXTS[name]}" if line else f"the {_TEXTS[name]}"


def model_of(namespace: Mapping[str, Any], kind: type, name: str, *, distributed: bool = False) -> Any:
    """Return the model that the code has left, which must be a `kind`, called `name`. Raises UserError."""
    last = namespace.get(_LAST)
    if distributed and isinstance(last, kind):
        return last
    if "model" not in namespace:
        more = ", or end with the model" if distributed else ""
        raise UserError(f"the code: expected it to set the variable `model`{more}, found no such variable")
    model = namespace["model"]
    if not isinstance(model, kind):
        raise UserError(
            f"the code: expected the variable `model` to be a {name}, found {type(model).__name__}"
        )
    return model
