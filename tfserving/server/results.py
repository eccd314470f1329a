"""Classify and regress answers: the signatures they need, and tensors to JSON."""

from collections.abc import Collection, Mapping

import numpy as np

from tfserving.server import write
from tfserving.server.errors import ServingError, invalid
from tfserving.server.values import Array

INPUT = "inputs"


def check(verb: str, inputs: Collection[str], outputs: Collection[str]) -> None:
    """Raise ServingError where a signature with these aliases does not serve the verb."""
    what = "classification" if verb == "classify" else "regression"
    if len(inputs) != 1:
        raise invalid("Expected one input Tensor.")
    if INPUT not in inputs:
        raise invalid(f"No {what} inputs found in SignatureDef: {_aliases(inputs)}")
    if verb == "classify":
        if len(outputs) not in {1, 2}:
            raise invalid(f"Expected one or two output Tensors, found {len(outputs)}")
        if not {"classes", "scores"}.issuperset(outputs):
            raise invalid(
                'Expected classification signature outputs to contain at least one of "classes" or "scores"'
                f" and nothing else. Signature was: {_aliases(outputs)}"
            )
        return
    if len(outputs) != 1:
        raise invalid("Expected one output Tensor.")
    if "outputs" not in outputs:
        raise invalid(f"No regression outputs found in SignatureDef: {_aliases(outputs)}")


def text(verb: str, outputs: Mapping[str, Array], batch: int) -> bytes:
    """Return the JSON text of an answer for a batch of examples.

    Raises ServingError where a tensor is not of the type or the shape that the verb needs.
    """
    rows = _classified(outputs, batch) if verb == "classify" else _regressed(outputs["outputs"], batch)
    return b'{"results": [' + b", ".join(rows) + b"]}"


def _classified(outputs: Mapping[str, Array], batch: int) -> list[bytes]:
    classes, scores = outputs.get("classes"), outputs.get("scores")
    if classes is not None:
        _check_classes("classes", "DT_STRING", classes, batch, np.dtype(object))
    if scores is not None:
        _check_classes("scores", "DT_FLOAT", scores, batch, np.dtype(np.float32))
    shape = next(iter(outputs.values())).shape
    if classes is not None and scores is not None and classes.shape != scores.shape:
        raise invalid(
            "Tensors class and score should match in dim_size(1)."
            f" Got {classes.shape[1]} vs. {scores.shape[1]}"
        )
    labels = write.elements(np.full(shape, b"", object) if classes is None else classes, "classes")
    numbers = write.elements(np.zeros(shape, np.float32) if scores is None else scores, "scores")
    pairs = [b"[" + label + b", " + number + b"]" for label, number in zip(labels, numbers, strict=True)]
    return write.nested(pairs, shape)


def _check_classes(alias: str, name: str, tensor: Array, batch: int, dtype: np.dtype[np.generic]) -> None:
    if tensor.dtype != dtype:
        raise invalid(f"Expected {alias} Tensor of {name}. Got: {tensor.dtype}")
    if tensor.ndim != 2:
        raise invalid(f"Expected Tensor shape: [batch_size num_classes] but got {list(tensor.shape)}")
    if len(tensor) != batch:
        raise _mismatch(len(tensor), batch)


def _regressed(tensor: Array, batch: int) -> list[bytes]:
    if tensor.dtype != np.float32:
        raise invalid(f"Expected output Tensor of DT_FLOAT. Got: {tensor.dtype}")
    if tensor.ndim not in {1, 2} or tensor.shape[1:] not in {(), (1,)}:
        raise invalid(
            f"Expected Tensor shape: either [batch_size] or [batch_size, 1] but got {list(tensor.shape)}"
        )
    if len(tensor) != batch:
        raise _mismatch(len(tensor), batch)
    return write.elements(tensor, "outputs")


def _mismatch(got: int, batch: int) -> ServingError:
    return invalid(f"Input batch size did not match output batch size: {batch} vs. {got}")


def _aliases(aliases: Collection[str]) -> str:
    return ", ".join(sorted(aliases))
