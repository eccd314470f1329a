"""A model's code as a person wrote it, and what is known about it once it ran."""

from dataclasses import dataclass
from typing import Final, Literal

Framework = Literal["tf", "pth"]
FRAMEWORKS: Final[dict[str, str]] = {"tf": "TensorFlow", "pth": "PyTorch"}

Shape = tuple[int | None, ...]
"""Dimensions with the batch first; None: any size."""


class CodeError(ValueError):
    """Code that does not give a model. The message is one line: where in the text, and what happened."""


@dataclass(frozen=True, slots=True)
class Program:
    """The two texts of a model. `imports` runs before `code`, which sets the variable `model`.

    The model of `distributed` code may also be the value of its last line.
    """

    framework: str
    imports: str
    code: str
    distributed: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """A model in words and numbers. PyTorch models do not state their inputs and outputs."""

    text: str
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    parameters: int
    metrics: tuple[str, ...]


_MARK: Final = "# The model's code begins here."


def joined(imports: str, code: str) -> str:
    """Return both texts as one program: the code alone if there are no imports."""
    return f"{imports}\n{_MARK}\n{code}" if imports.strip() else code


def parted(text: str) -> tuple[str, str]:
    """Return the imports and the code of a program that `joined` has made."""
    imports, mark, code = text.partition(f"\n{_MARK}\n")
    return (imports, code) if mark else ("", text)
