"""Tensors and signatures, independent of how they are sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
"""A tensor; strings as an array of bytes objects."""

Tensors: TypeAlias = Mapping[str, Array]
"""Tensors by their names in the signature; dimension 0 of each is the batch."""


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """A tensor as a signature declares it.

    The dtype is NumPy's name, or `string`. In the shape, -1 stands for any size; a shape of None stands for
    any number of dimensions.
    """

    dtype: str
    shape: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Signature:
    """The inputs and outputs of a model's signature `serving_default`, by name."""

    inputs: Mapping[str, TensorInfo]
    outputs: Mapping[str, TensorInfo]
