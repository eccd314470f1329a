"""Checks of the tensors in an answer, which may contain anything."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.model_server.tensors import Array, Tensors

SLACK: Final = 1e-3  # how far rounding in half precision may leave 0..1


def output(answer: Tensors, name: str) -> Array:
    """Return an output; raise ValueError if there is none of that name."""
    if name not in answer:
        raise ValueError(f"expected an output {name!r}, found {names(answer)}")
    return answer[name]


def only(answer: Tensors) -> Array:
    """Return the only output; raise ValueError if there are several, or none."""
    if len(answer) != 1:
        raise ValueError(f"expected one output, found {names(answer)}")
    return next(iter(answer.values()))


def names(tensors: Tensors) -> str:
    """Return the names of outputs for an error message."""
    return ", ".join(map(repr, tensors)) or "none"


def kind_of(array: Array) -> str:
    """Return what a tensor's elements are, for an error message."""
    return str(array.dtype) if array.dtype.kind in "biuf" else "texts"


def numbers(array: Array, shape: tuple[int, ...], what: str) -> NDArray[np.float64]:
    """Return the finite numbers of a tensor of that shape, in which -1 stands for any size.

    For any other tensor, raises a ValueError whose text begins with `what`.
    """
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{what}: expected numbers, found {kind_of(array)}")
    if array.ndim != len(shape) or any(want not in (-1, size) for size, want in zip(array.shape, shape)):  # noqa: B905
        raise ValueError(f"{what}: expected the shape {list(shape)}, found {list(array.shape)}")
    values = array.astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"{what}: expected finite numbers, found NaN or infinity")
    return values


def scores(array: Array, shape: tuple[int, ...], what: str, remedy: str = "") -> NDArray[np.float64]:
    """Return the numbers of a tensor of that shape, all in 0..1; `remedy` ends the text of the ValueError."""
    values = numbers(array, shape, what)
    if values.size and (values.min() < -SLACK or values.max() > 1 + SLACK):
        raise ValueError(f"{what}: expected 0 to 1, found {values.min():.4g} to {values.max():.4g}{remedy}")
    return values.clip(0, 1)
