"""Checks and builds the code of models. Each takes seconds: the framework starts in a new process."""

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from training.code.confined import run
from training.code.folder import temporary_folder
from training.code.limits import Limits, size
from training.code.program import FRAMEWORKS, CodeError, Program, Shape, Summary

_NICE: Final = 10  # other processes have priority, but somebody waits for the answer
_TASK: Final = "training.code.child.check"
_TRAINED: Final = "training.code.child.trained"
_EXPORTED: Final = "exported"  # by a task, as in `keras_model`
_FILE: Final = {"tf": "model.h5", "pth": "model.py"}
_LONGEST_TEXT: Final = 100_000  # characters of a summary
_MOST_NAMES: Final = 1_000  # inputs, outputs or metrics of a model
_BLOCK: Final = 1024 * 1024

_turns: Final = threading.BoundedSemaphore(2)  # each takes a processor, and about half a GiB of memory


def check(program: Program, limits: Limits | None = None) -> Summary:
    """Run a program in a restricted process and return what it defines. Raises CodeError."""
    return _built(program, None, limits or Limits())


def check_syntax(program: Program, limits: Limits | None = None) -> None:
    """Check only that a program is Python: for frameworks that are not installed here. Raises CodeError."""
    _check_kind(program)
    request = {"framework": program.framework, "imports": program.imports, "code": program.code}
    with _turns, temporary_folder() as folder:
        run(_TASK, {**request, "only_syntax": True}, folder=folder, limits=limits or Limits(), nice=_NICE)


def build(program: Program, file: Path, limits: Limits | None = None) -> Summary:
    """Check a program, and write what a training job begins with to `file`.

    TensorFlow: the compiled, untrained model as HDF5; do not load it except in a restricted process. PyTorch:
    the code as text. Raises CodeError, and then writes nothing.
    """
    return _built(program, file, limits or Limits())


def check_trained(
    program: Program, file: Path, keep: Callable[[Path], object], limits: Limits | None = None
) -> None:
    """Load a trained model in a restricted process. Raises CodeError unless it is one of the program.

    TensorFlow: `keep` is then called with the folder of its SavedModel, which may hold anything. PyTorch: the
    file is a state dict.
    """
    _check_kind(program)
    request = {"framework": program.framework, "imports": program.imports, "code": program.code}
    with _turns, temporary_folder() as folder:
        run(
            _TRAINED,
            {**request, "distributed": False, "trained": str(file)},
            folder=folder,
            limits=limits or Limits(),
            read=[file],
        )
        if program.framework == "tf":
            keep(folder / _EXPORTED)


def _built(program: Program, file: Path | None, limits: Limits) -> Summary:
    _check_kind(program)
    with _turns, temporary_folder() as folder:
        request = {
            "framework": program.framework,
            "imports": program.imports,
            "code": program.code,
            "distributed": program.distributed,
            "file": _FILE[program.framework],
        }
        summary = _summary(run(_TASK, request, folder=folder, limits=limits, nice=_NICE))
        if file is not None:
            take(folder / _FILE[program.framework], file, limits.folder)
    return summary


def _check_kind(program: Program) -> None:
    if program.framework not in FRAMEWORKS:
        raise CodeError(f"framework {program.framework!r}: expected {' or '.join(FRAMEWORKS)}")
    if program.distributed and program.framework != "tf":
        raise CodeError("distributed: only TensorFlow models can be distributed")


def take(source: Path, file: Path, most: int) -> None:
    """Copy a file of at most so many bytes that a restricted process wrote, whatever it is now.

    `file` appears at once. Raises CodeError unless the source is an ordinary file.
    """
    try:
        opened = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise CodeError(f"the code: it left no file {source.name} ({error.strerror})") from None
    state = os.fstat(opened)
    if not stat.S_ISREG(state.st_mode) or state.st_nlink != 1 or state.st_size > most:
        os.close(opened)
        raise CodeError(f"the code: expected {source.name} to be a file of at most {size(most)}")
    part = file.with_name(f".{file.name}.part")
    with open(opened, "rb") as given:
        try:
            with part.open("wb") as copy:
                while block := given.read(_BLOCK):
                    copy.write(block)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)


def _summary(value: Any) -> Summary:
    """Return what the process has reported, which the user's code may have written."""
    try:
        return Summary(
            text=str(value["text"])[:_LONGEST_TEXT],
            inputs=_shapes(value["inputs"]),
            outputs=_shapes(value["outputs"]),
            parameters=int(value["parameters"]),
            metrics=tuple(str(name) for name in value["metrics"][:_MOST_NAMES]),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        raise CodeError("the code: it wrote into the report of its own process") from None


def _shapes(value: Any) -> tuple[Shape, ...]:
    return tuple(
        tuple(None if dimension is None else int(dimension) for dimension in shape)
        for shape in value[:_MOST_NAMES]
    )
