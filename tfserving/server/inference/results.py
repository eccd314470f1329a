"""Classify and regress: the signatures they require, the tensors they return, and their JSON."""

from collections.abc import Mapping

import numpy as np

from tfserving.server.errors import Code, ServingError, invalid
from tfserving.server.graph.signature import Signature
from tfserving.server.graph.tensor_proto import type_name
from tfserving.server.json import write
from tfserving.server.json.values import Array

INPUT = "inputs"
METHODS = {verb: f"tensorflow/serving/{verb}" for verb in ("predict", "classify", "regress")}

_NOUNS = {"classify": "classification", "regress": "regression"}


def check_method(verb: str, signature: Signature) -> None:
    """Raise ServingError if a signature's method_name is checked and does not match the verb."""
    if signature.method is None:
        return
    if verb == "predict":
        if signature.method not in METHODS.values():
            known = ", ".join(METHODS.values())
            what = f"Expected prediction signature method_name to be one of {{{known}}}"
            raise ServingError(Code.INTERNAL, f"{what}. Was: {signature.method}")
    elif signature.method != METHODS[verb]:
        what = f"Expected {_NOUNS[verb]} signature method_name to be {METHODS[verb]}"
        raise invalid(f"{what}. Was: {signature.method}")


def needed(verb: str, signature: Signature) -> list[str]:
    """Return the outputs that classify or regress fetches; raise ServingError if it does not support that."""
    check_method(verb, signature)
    outputs = signature.outputs
    if len(signature.inputs) != 1:
        raise invalid("Expected one input Tensor.")
    if verb == "classify" and len(outputs) not in {1, 2}:
        raise invalid(f"Expected one or two output Tensors, found {len(outputs)}")
    if verb == "regress" and len(outputs) != 1:
        raise invalid("Expected one output Tensor.")
    if INPUT not in signature.inputs:
        raise invalid(f"No {_NOUNS[verb]} inputs found in SignatureDef: {signature.definition}")
    if verb == "regress":
        if "outputs" not in outputs:
            raise invalid(f"No regression outputs found in SignatureDef: {signature.definition}")
        return ["outputs"]
    found = [alias for alias in ("classes", "scores") if alias in outputs]
    if not found:
        raise invalid(
            'Expected classification signature outputs to contain at least one of "classes" or "scores".'
            f" Signature was: {signature.definition}"
        )
    return found


def checked(verb: str, outputs: Mapping[str, Array], batch: int) -> dict[str, Array]:
    """Return the checked outputs of a run: `classes` and `scores` [batch, k], or `outputs` [batch].

    Missing classes are empty, and missing scores are 0. Raises ServingError (INVALID_ARGUMENT) if a tensor
    does not have the type or the shape that the verb requires.
    """
    if verb == "regress":
        return {"outputs": _regressed(outputs["outputs"], batch)}
    classes, scores = outputs.get("classes"), outputs.get("scores")
    if classes is not None:
        _check_classes("classes", "DT_STRING", classes, batch)
    if scores is not None:
        _check_classes("scores", "DT_FLOAT", scores, batch)
    if classes is not None and scores is not None and classes.shape != scores.shape:
        raise invalid(
            "Tensors class and score should match in dim_size(1)."
            f" Got {classes.shape[1]} vs. {scores.shape[1]}"
        )
    shape = next(iter(outputs.values())).shape
    return {
        "classes": np.full(shape, b"", object) if classes is None else classes,
        "scores": np.zeros(shape, np.float32) if scores is None else scores,
    }


def text(verb: str, outputs: Mapping[str, Array]) -> bytes:
    """Return the JSON text of a response, given the outputs from `checked`."""
    if verb == "regress":
        rows = write.elements(outputs["outputs"], "outputs")
    else:
        labels = write.elements(outputs["classes"], "classes")
        numbers = write.elements(outputs["scores"], "scores")
        pairs = [b"[" + label + b", " + number + b"]" for label, number in zip(labels, numbers, strict=True)]
        rows = write.nested(pairs, outputs["scores"].shape)
    return b'{"results": [' + b", ".join(rows) + b"]}"


def _check_classes(alias: str, name: str, tensor: Array, batch: int) -> None:
    if tensor.ndim != 2:
        raise invalid(f"Expected Tensor shape: [batch_size num_classes] but got {_shape(tensor)}")
    if type_name(tensor) != name:
        raise invalid(f"Expected {alias} Tensor of {name}. Got: {type_name(tensor)}")
    if len(tensor) != batch:
        raise invalid(f"Expected {alias} output batch size of {batch}. Got: {len(tensor)}")


def _regressed(tensor: Array, batch: int) -> Array:
    if tensor.ndim not in {1, 2} or tensor.shape[1:] not in {(), (1,)}:
        raise invalid(
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1]"
            f" but got {_shape(tensor)}"
        )
    if len(tensor) != batch:
        raise invalid(f"Input batch size did not match output batch size: {batch} vs. {len(tensor)}")
    if type_name(tensor) != "DT_FLOAT":
        raise invalid(f"Expected output Tensor of DT_FLOAT.  Got: {type_name(tensor)}")
    return tensor.ravel()


def _shape(tensor: Array) -> str:
    return "[" + ",".join(map(str, tensor.shape)) + "]"
