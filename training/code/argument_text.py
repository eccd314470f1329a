"""The arguments of a training as a person types them: `epochs=5, shuffle=True`. Nothing is evaluated."""

import ast
import math
from typing import Any, Final, Literal

from training.fields import LARGEST_NUMBER

_REQUIRED: Final = {"tf": "epochs", "pth": "max_epochs"}
_FIT: Final = {
    "class_weight",
    "epochs",
    "shuffle",
    "steps_per_epoch",
    "validation_batch_size",
    "validation_freq",
    "validation_steps",
    "verbose",
}
_EVALUATE: Final = {"batch_size", "steps", "verbose"}
_TORCH_EVALUATE: Final = {
    "amp_mode",
    "drop_last",
    "epoch_length",
    "non_blocking",
    # Of loaders that start processes: the job has the data in its own memory.
    "num_workers",
    "persistent_workers",
    "pin_memory",
    "prefetch_factor",
    "shuffle",
    "timeout",
}
_TORCH_FIT: Final = _TORCH_EVALUATE | {"deterministic", "gradient_accumulation_steps", "max_epochs", "scaler"}
_KNOWN: Final = {
    ("tf", "fit"): _FIT,
    ("tf", "val"): _EVALUATE,
    ("pth", "fit"): _TORCH_FIT,
    ("pth", "val"): _TORCH_EVALUATE,
}
_OURS: Final = {
    "batch_size": "the deployment's field `batch` sets it",
    "callbacks": "objects cannot be written here",
    "return_dict": "the job sets it",
    "sample_weight": "arrays cannot be written here",
    "validation_data": "the stream's rates set it",
    "validation_split": "the stream's rates set it",
    "x": "the stream sets it",
    "y": "the stream sets it",
    "initial_epoch": "a training begins with the first, and continues by itself after an interruption",
    "max_queue_size": "Keras 3 no longer has it",
    "use_multiprocessing": "Keras 3 no longer has it",
    "workers": "Keras 3 no longer has it",
}
_HINTS: Final = {"true": "True", "false": "False", "none": "None", "null": "None", "nan": "a number"}
_COUNTS: Final = {
    "epochs",
    "max_epochs",
    "epoch_length",
    "steps_per_epoch",
    "validation_steps",
    "validation_batch_size",
    "batch_size",
    "steps",
}


def arguments(text: str, framework: str, use: Literal["fit", "val"]) -> dict[str, Any]:
    """Return the arguments in a text by name. Values are numbers, texts, True, False, None, lists and dicts.

    Raises ValueError, in one line, for everything else and for what the framework does not know.
    """
    found = _parsed(text)
    for name, value in found.items():
        _check_name(name, framework, use)
        if name in _COUNTS:
            _check_count(name, value)
    required = _REQUIRED[framework]
    if use == "fit" and required not in found:
        raise ValueError(
            f"expected {required}=NUMBER, such as {required}=5, found {_short(text) or 'nothing'}"
        )
    return found


def _parsed(text: str) -> dict[str, Any]:
    try:
        call = ast.parse(f"_({text}\n)", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"{_short(text)}: expected name=value, name=value; {_syntax(error)}") from None
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
        raise ValueError(f"{_short(text)}: expected name=value, name=value, found a closing parenthesis")
    if call.args:
        raise ValueError(
            f"{_short(ast.unparse(call.args[0]))}: expected name=value, found a value without a name"
        )
    found = dict[str, Any]()
    for keyword in call.keywords:
        if keyword.arg is None:
            raise ValueError(f"**{_short(ast.unparse(keyword.value))}: expected name=value")
        if keyword.arg in found:
            raise ValueError(f"{keyword.arg} is given twice")
        found[keyword.arg] = _literal(keyword.arg, keyword.value)
    return found


def _literal(name: str, node: ast.expr) -> Any:
    try:
        return _plain(ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        value = _short(ast.unparse(node))
        if isinstance(node, ast.Name):
            better = _HINTS.get(node.id.lower(), f"a text in quotes ('{node.id}')")
            raise ValueError(f"{name}={value}: expected {better}, found a name") from None
        why = str(error) if isinstance(error, _UnsuitableError) else "found an expression"
        raise ValueError(
            f"{name}={value}: expected a number, text, True, False, None or list; {why}"
        ) from None


class _UnsuitableError(ValueError):
    pass


def _plain(value: Any) -> Any:
    """Return a literal as JSON has it."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _UnsuitableError("found a number that is too large")
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        if not all(isinstance(key, int | str) for key in value):
            raise _UnsuitableError("found a dict whose keys are neither numbers nor texts")
        return {key: _plain(item) for key, item in value.items()}
    raise _UnsuitableError(f"found {type(value).__name__}")


def _check_name(name: str, framework: str, use: str) -> None:
    known = _KNOWN[framework, use]
    if name in known:
        return
    if name in _OURS:
        raise ValueError(f"{name}: {_OURS[name]}; leave it out")
    raise ValueError(f"{name}: expected one of {', '.join(sorted(known))}")


def _check_count(name: str, value: Any) -> None:
    is_optional = name not in ("epochs", "max_epochs")
    if (value is None and is_optional) or (type(value) is int and 0 < value <= LARGEST_NUMBER):
        return
    raise ValueError(f"{name}={value!r}: expected a whole number from 1 to {LARGEST_NUMBER}")


def _syntax(error: BaseException) -> str:
    return f"found {error.msg}" if isinstance(error, SyntaxError) and error.msg else "it is nested too deeply"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:57]}..."
