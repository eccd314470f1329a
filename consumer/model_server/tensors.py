"""What a model is asked and what it answers, apart from how that travels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
"""A tensor; strings as an array of bytes objects."""

Tensors: TypeAlias = Mapping[str, Array]
"""Tensors by the names that a signature gives them; each has the batch as its 0th dimension."""


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """A tensor as a signature declares it.

    The dtype is NumPy's name, or `string`; the shape has -1 where any size will do, and is None where any
    number of dimensions will.
    """

    dtype: str
    shape: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Signature:
    """The inputs and outputs of a model's signature `serving_default`, by name."""

    inputs: Mapping[str, TensorInfo]
    outputs: Mapping[str, TensorInfo]
