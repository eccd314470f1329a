"""Merge the tensors of requests into one batch, and split the outputs of a batch."""

from collections.abc import Mapping, Sequence

import numpy as np

from tfserving.server.batching.batch_parameters import Parameters
from tfserving.server.errors import Code, ServingError, invalid
from tfserving.server.json.values import Array

MAX_PADDED_RANK = 6


def rows(inputs: Mapping[str, Array]) -> int:
    """Return the size of the 0th dimension, which a request's inputs must share.

    Raises ServingError (INVALID_ARGUMENT) if they differ or have no dimension.
    """
    if not inputs:
        raise invalid("Batching Run() must have at least one input tensor")
    sizes = set()
    for array in inputs.values():
        if not array.ndim:
            raise invalid("Batching Run() input tensors must have at least one dimension")
        sizes.add(len(array))
        if len(sizes) > 1:
            raise invalid("Batching Run() input tensors must have equal 0th-dimension size")
    return sizes.pop()


def merge(
    requests: Sequence[Mapping[str, Array]], parameters: Parameters
) -> tuple[dict[str, Array], int, int]:
    """Return the inputs of a batch by tensor name, the batch's size, and how many of its rows are padding.

    Raises ServingError (FAILED_PRECONDITION) if the requests' inner dimensions differ and are not padded.
    """
    size = sum(rows(inputs) for inputs in requests)
    padding = parameters.execution_size(size) - size
    # Pad with the first row of a request: the graph can process it.
    last = next((i for i in reversed(range(len(requests))) if rows(requests[i])), None)
    if last is None:
        padding = 0
    merged = {}
    for name in requests[0]:
        arrays = [inputs[name] for inputs in requests]
        if parameters.pad_inputs:
            arrays = _padded(name, arrays)
        elif any(array.shape[1:] != arrays[0].shape[1:] for array in arrays):
            raise _shapes_differ(name)
        if padding and last is not None:
            arrays.append(np.repeat(arrays[last][:1], padding, axis=0))
        merged[name] = np.concatenate(arrays) if len(arrays) > 1 else arrays[0]
    return merged, size + padding, padding


def split(outputs: Mapping[str, Array], sizes: Sequence[int], total: int) -> list[dict[str, Array]]:
    """Return each request's part of a batch's outputs, given the sizes of the requests and of the batch.

    Raises ServingError (FAILED_PRECONDITION) if an output's 0th dimension differs from the batch's size.
    """
    for array in outputs.values():
        if not array.ndim:
            raise ServingError(Code.FAILED_PRECONDITION, "Batched output tensor has 0 dimensions")
        if len(array) != total:
            raise ServingError(
                Code.FAILED_PRECONDITION,
                "Batched output tensor's 0th dimension does not equal the sum of the 0th dimension sizes of"
                " the input tensors",
            )
    parts = []
    start = 0
    for size in sizes:
        parts.append({name: array[start : start + size] for name, array in outputs.items()})
        start += size
    return parts


def _padded(name: str, arrays: list[Array]) -> list[Array]:
    """Pad the arrays' inner dimensions to the longest, each array with its own first element."""
    if any(array.ndim != arrays[0].ndim for array in arrays):
        raise _shapes_differ(name)
    if arrays[0].ndim > MAX_PADDED_RANK:
        raise invalid("Only tensors with rank from 1 to 6 can be padded.")
    inner = tuple(max(sizes) for sizes in zip(*(array.shape[1:] for array in arrays), strict=True))
    return [array if array.shape[1:] == inner else _extended(array, inner) for array in arrays]


def _extended(array: Array, inner: tuple[int, ...]) -> Array:
    shape = (len(array), *inner)
    if not array.size:
        if 0 in shape:
            return array.reshape(shape)
        raise invalid("Got empty tensor in batch of non-empty tensors.")
    extended = np.full(shape, array.flat[0], array.dtype)
    extended[tuple(slice(size) for size in array.shape)] = array
    return extended


def _shapes_differ(name: str) -> ServingError:
    return ServingError(
        Code.FAILED_PRECONDITION,
        # The two missing spaces are TensorFlow Serving's.
        f"Tensors with name '{name}' from different tasks have different shapes and padding is turned off."
        "Set pad_variable_length_inputs to true, or ensure that all tensors with the same name"
        "have equal dimensions starting with the first dim.",
    )
