"""Classify, Regress and MultiInference over gRPC: from Examples to results."""

from typing import Any

from tensorflow_serving.apis import classification_pb2, inference_pb2, regression_pb2

from tfserving.server.errors import Code, ServingError, invalid
from tfserving.server.graph.signature import DEFAULT_SIGNATURE
from tfserving.server.inference import results
from tfserving.server.inference.inference import Inference
from tfserving.server.inference.results import INPUT, METHODS
from tfserving.server.json.values import Array
from tfserving.server.rpc import calls

_VERBS = {METHODS[verb]: verb for verb in ("classify", "regress")}


def evaluate(inference: Inference, verb: str, request: Any, version: int | None = None) -> Any:
    """Return the response to a ClassificationRequest (`classify`) or a RegressionRequest (`regress`).

    Raises ServingError if the signature does not support the verb, the input is empty, or the run fails.
    """
    spec = request.model_spec
    outputs = inference.evaluate(verb, spec.signature_name, serialized(request.input))
    classify = verb == "classify"
    response = (
        classification_pb2.ClassificationResponse() if classify else regression_pb2.RegressionResponse()
    )
    calls.fill_spec(response.model_spec, spec.name, spec.signature_name or DEFAULT_SIGNATURE, version)
    _fill(response.result, verb, outputs)
    return response


def evaluate_all(inference: Inference, request: Any, version: int | None = None) -> Any:
    """Return the MultiInferenceResponse to a MultiInferenceRequest: one result per task, in order.

    Raises ServingError if the tasks do not match one another or the model, or if a run fails.
    """
    _check(inference, request.tasks)
    examples = serialized(request.input)
    if not examples:
        raise invalid("Input is empty.")
    response = inference_pb2.MultiInferenceResponse()
    for task in request.tasks:
        verb = _VERBS[task.method_name]
        spec = task.model_spec
        outputs = inference.evaluate(verb, spec.signature_name, examples)
        result = response.results.add()
        calls.fill_spec(result.model_spec, spec.name, spec.signature_name or DEFAULT_SIGNATURE, version)
        classify = verb == "classify"
        _fill(result.classification_result if classify else result.regression_result, verb, outputs)
    if inference.monitor:
        inference.monitor.had_examples(inference.name, len(examples))
    return response


def serialized(source: Any) -> list[bytes]:
    """Return the Examples of an Input, each preceded by the shared context."""
    kind = source.WhichOneof("kind")
    if kind is None:
        return []
    listed = getattr(source, kind)
    # Protobuf merges messages that are concatenated.
    context = listed.context.SerializeToString() if kind == "example_list_with_context" else b""
    return [context + example.SerializeToString() for example in listed.examples]


def _check(inference: Inference, tasks: Any) -> None:
    seen: set[str] = set()
    fed: set[str] = set()
    for task in tasks:
        spec = task.model_spec
        name = spec.signature_name or DEFAULT_SIGNATURE
        if not spec.name:
            raise invalid("Found ModelSpec with an empty model name.")
        if spec.name != tasks[0].model_spec.name:
            raise invalid("All ModelSpecs in a MultiInferenceRequest must access the same model name.")
        if name in seen:
            raise invalid(f"Duplicate evaluation of signature: {name}")
        seen.add(name)
        signature = inference.model.signatures.get(name)
        if signature is None:
            raise invalid(f"Requested signature not found in model graph: {name}")
        if task.method_name not in _VERBS:
            raise ServingError(Code.UNIMPLEMENTED, f"Unsupported signature method_name: {task.method_name}")
        results.needed(_VERBS[task.method_name], signature)
        fed.add(signature.inputs[INPUT].name)
        if len(fed) > 1:
            raise invalid("Input tensor must be the same for all Signatures.")


def _fill(result: Any, verb: str, outputs: dict[str, Array]) -> None:
    if verb == "regress":
        for value in outputs["outputs"].tolist():
            result.regressions.add(value=value)
        return
    for labels, scores in zip(outputs["classes"].tolist(), outputs["scores"].tolist(), strict=True):
        row = result.classifications.add()
        for label, score in zip(labels, scores, strict=True):
            row.classes.add(label=_text(label), score=score)


def _text(label: bytes | str) -> str:
    # The field accepts only UTF-8.
    return label if isinstance(label, str) else label.decode("utf-8", "replace")
