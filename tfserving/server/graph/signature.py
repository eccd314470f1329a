"""The signatures of a SavedModel: the tensors to feed and to fetch, by alias."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tfserving.runtime import tf

DEFAULT_SIGNATURE = "serving_default"


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of the graph as a signature declares it; the dtype is NumPy's name for it, or `string`."""

    name: str
    dtype: str


@dataclass(frozen=True, slots=True)
class Signature:
    """The tensors to feed and to fetch, by alias, and the SignatureDef they come from.

    `method` is the method_name that requests are checked against, or None.
    """

    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    definition: Any
    method: str | None = None


def read(definition: Any, *, check_method_name: bool = False) -> Signature:
    """Return the signature of a SignatureDef, with or without its method_name to check against."""
    method = definition.method_name if check_method_name else None
    return Signature(_tensors(definition.inputs), _tensors(definition.outputs), definition, method)


def _tensors(infos: Mapping[str, Any]) -> dict[str, Tensor]:
    return {alias: Tensor(infos[alias].name, _dtype(infos[alias].dtype)) for alias in sorted(infos)}


def _dtype(number: int) -> str:
    try:
        return str(tf.dtypes.as_dtype(number).name)
    except TypeError:
        return "invalid"
