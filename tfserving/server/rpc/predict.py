"""Predict over gRPC: convert TensorProtos to tensors and back."""

from collections.abc import Mapping
from typing import Any

from tensorflow_serving.apis import predict_pb2

from tfserving.server.errors import Code, ServingError, invalid
from tfserving.server.graph import tensor_proto
from tfserving.server.graph.signature import DEFAULT_SIGNATURE, Signature
from tfserving.server.inference import aliases, results
from tfserving.server.inference.inference import Inference
from tfserving.server.json.values import Array
from tfserving.server.rpc import calls


def predict(
    inference: Inference, request: Any, version: int | None = None, *, as_content: bool = False
) -> Any:
    """Return the PredictResponse to a PredictRequest; tensors hold their elements one by one or `as_content`.

    Raises ServingError if the request does not match the signature, or the run fails.
    """
    name = request.model_spec.signature_name or DEFAULT_SIGNATURE
    signature = inference.model.signatures.get(name)
    if signature is None:
        raise ServingError(Code.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.')
    results.check_method("predict", signature)
    tensors = feeds(signature, request.inputs)
    fetch = _fetch(signature, list(request.output_filter))
    outputs = inference.predict(name, tensors, fetch)
    response = predict_pb2.PredictResponse()
    calls.fill_spec(response.model_spec, request.model_spec.name, name, version)
    for alias, output in outputs.items():
        response.outputs[alias].CopyFrom(tensor_proto.write(output, as_content=as_content))
    return response


def feeds(signature: Signature, inputs: Mapping[str, Any]) -> dict[str, Array]:
    """Return the tensor of each input of a signature, given TensorProtos; missing inputs get its defaults.

    Raises ServingError (INVALID_ARGUMENT) if the aliases do not match, or a message is not a valid tensor.
    """
    defaults = signature.definition.defaults
    if len(inputs) > len(signature.inputs) or (len(inputs) < len(signature.inputs) and not defaults):
        raise aliases.wrong_size(set(inputs), set(signature.inputs))
    tensors = {}
    for alias, tensor in signature.inputs.items():
        if alias not in inputs and alias not in defaults:
            raise invalid(
                f"Signature input alias: {alias}(feed name: {tensor.name}) not found in request"
                f" and no default value provided. Inputs expected to be in the request"
                f" {aliases.braced(inputs)},"
                f" or default input alias set: {aliases.joined(defaults)}"
            )
        try:
            tensors[alias] = tensor_proto.read(inputs[alias] if alias in inputs else defaults[alias])
        except (ValueError, MemoryError):
            raise invalid(f"tensor parsing error: {alias}") from None
    used = [alias for alias in inputs if alias in signature.inputs]
    if len(used) != len(inputs):
        raise invalid(
            f"Inputs contains invalid name. Used request inputs: {aliases.joined(used)},"
            f" request input: {aliases.joined(inputs)}"
        )
    return tensors


def _fetch(signature: Signature, wanted: list[str]) -> list[str] | None:
    for i, alias in enumerate(wanted):
        if alias not in signature.outputs:
            raise invalid(
                f"output tensor alias not found in signature: {alias} Outputs expected to be in the set"
                f" {aliases.braced(signature.outputs)}."
            )
        if alias in wanted[:i]:
            raise invalid(f"duplicate output tensor alias: {alias}")
    return wanted or None
