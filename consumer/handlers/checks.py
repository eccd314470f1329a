"""Reads the tensors of an answer, which may hold anything."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from consumer.model_server.tensors import Array, Tensors

_SLACK: Final = 1e-3  # how far arithmetic in half precision may lead out of 0..1


def output(answer: Tensors, name: str) -> Array:
    """Return an output; raise ValueError where the answer has none of that name."""
    if name not in answer:
        raise ValueError(f"there is no output {name!r} among {names(answer)}")
    return answer[name]


def only(answer: Tensors) -> Array:
    """Return the only output; raise ValueError where there are others, or none."""
    if len(answer) != 1:
        raise ValueError(f"one output is wanted, not {names(answer)}")
    return next(iter(answer.values()))


def names(tensors: Tensors) -> str:
    """Return the names of outputs for a person to read."""
    return ", ".join(map(repr, tensors)) or "none"


def numbers(array: Array, shape: tuple[int, ...], what: str) -> NDArray[np.float64]:
    """Return the finite numbers of a tensor of that shape, where -1 stands for any size.

    Raises ValueError that begins with `what` for any other tensor.
    """
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{what} are of type {array.dtype}, not numbers")
    if array.ndim != len(shape) or any(want not in (-1, size) for size, want in zip(array.shape, shape)):  # noqa: B905
        raise ValueError(f"{what} have the shape {list(array.shape)}, not {list(shape)}")
    values = array.astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"{what} hold what is no finite number")
    return values


def scores(array: Array, shape: tuple[int, ...], what: str, remedy: str = "") -> NDArray[np.float64]:
    """Return the numbers of a tensor of that shape, all in 0..1; `remedy` ends the text of the ValueError."""
    values = numbers(array, shape, what)
    if values.size and (values.min() < -_SLACK or values.max() > 1 + _SLACK):
        raise ValueError(f"{what} are {values.min():.4g} to {values.max():.4g}, not within 0 to 1{remedy}")
    return values.clip(0, 1)
