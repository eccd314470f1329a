"""What the service needs from the package that checks, builds and reads users' code."""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal, Protocol

_NAME: Final = "training.code"


class Code(Protocol):
    """Checks and builds models. All methods raise ValueError with one line, and may take seconds."""

    def check(self, framework: str, imports: str, code: str, *, distributed: bool) -> None:
        """Run a model's code; raise ValueError if it does not define a model."""

    def build(self, framework: str, imports: str, code: str, *, distributed: bool, file: Path) -> None:
        """Write the untrained model to a file."""

    def check_trained(
        self, framework: str, imports: str, code: str, *, file: Path, keep: Callable[[Path], object]
    ) -> None:
        """Raise ValueError unless a file holds a trained model of this code.

        If it is TensorFlow's, `keep` is called with the folder of its SavedModel. Without the framework on
        this machine, nothing is done.
        """

    def arguments(self, text: str, framework: str, use: Literal["fit", "val"]) -> dict[str, Any]:
        """Return the arguments in a text such as `epochs=5, shuffle=True`."""


def load(*, elsewhere: bool = False) -> Code:
    """Return the package that does this.

    If jobs run `elsewhere`, with frameworks that this machine may lack, it checks at least the syntax.
    """
    return _Package(elsewhere=elsewhere)


class _Package:
    """The package `training.code`. It is not imported before it is needed."""

    def __init__(self, *, elsewhere: bool) -> None:
        self._elsewhere = elsewhere

    def check(self, framework: str, imports: str, code: str, *, distributed: bool) -> None:
        """Run a model's code."""
        found = _found()
        check = found.check_syntax if self._elsewhere and found.lacking(framework) else found.check
        with _reasons():
            check(found.Program(framework, imports, code, distributed))

    def build(self, framework: str, imports: str, code: str, *, distributed: bool, file: Path) -> None:
        """Write the untrained model to a file."""
        found = _found()
        with _reasons():
            found.build(found.Program(framework, imports, code, distributed), file)

    def check_trained(
        self, framework: str, imports: str, code: str, *, file: Path, keep: Callable[[Path], object]
    ) -> None:
        """Load a trained model, and compare it with that of the code."""
        found = _found()
        if self._elsewhere and found.lacking(framework):
            return
        with _reasons():
            found.check_trained(found.Program(framework, imports, code, distributed=False), file, keep)

    def arguments(self, text: str, framework: str, use: Literal["fit", "val"]) -> dict[str, Any]:
        """Return the arguments in a text."""
        return dict(_found().arguments(text, framework, use))


def _found() -> Any:
    try:
        return importlib.import_module(_NAME)
    except ModuleNotFoundError as error:
        if error.name != _NAME:
            raise
        raise ValueError("code cannot be checked: this version has no package training.code") from None


@contextmanager
def _reasons() -> Iterator[None]:
    """Raise ValueError in place of what this machine lacks, such as room on the disk."""
    try:
        yield
    except OSError as error:
        raise ValueError(f"the code cannot be run here: {error.strerror or error}") from None
