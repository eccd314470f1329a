"""The gRPC service that runs models."""

import time
from collections.abc import Callable
from typing import Any

from tensorflow_serving.apis import get_model_metadata_pb2, model_pb2

from tfserving.server.errors import invalid
from tfserving.server.inference.inference import Inference
from tfserving.server.models.catalog import Catalog
from tfserving.server.monitoring.monitoring import Monitor
from tfserving.server.rpc import calls, predict, tasks
from tfserving.server.rpc.calls import Call, ModelRef, Outcome

SIGNATURES = "signature_def"


class PredictionService:
    """Runs the models of a catalog, each request within its own deadline."""

    def __init__(self, catalog: Catalog, monitor: Monitor | None = None, *, as_content: bool = False) -> None:
        """Take the models; with `as_content`, responses hold tensors as raw bytes."""
        self._catalog = catalog
        self._monitor = monitor
        self._as_content = as_content

    def Predict(self, request: Any, call: Call) -> Outcome:  # noqa: N802
        """Run any signature on tensors."""

        def compute() -> Any:
            return self._run(
                calls.model_ref(request),
                call,
                lambda inference, version: predict.predict(
                    inference, request, version, as_content=self._as_content
                ),
            )

        return self._counted("Predict", request, compute)

    def Classify(self, request: Any, call: Call) -> Outcome:  # noqa: N802
        """Classify examples."""
        return self._evaluate("classify", request, call)

    def Regress(self, request: Any, call: Call) -> Outcome:  # noqa: N802
        """Return a number for each example."""
        return self._evaluate("regress", request, call)

    def MultiInference(self, request: Any, call: Call) -> Outcome:  # noqa: N802
        """Classify and regress the same examples."""

        def compute() -> Any:
            spec = request.tasks[0].model_spec if request.tasks else model_pb2.ModelSpec()
            return self._run(
                calls.from_spec(spec),
                call,
                lambda inference, version: tasks.evaluate_all(inference, request, version),
            )

        return calls.outcome(compute)

    def GetModelMetadata(self, request: Any, _: Call) -> Outcome:  # noqa: N802
        """Return a model's signatures."""
        return calls.outcome(lambda: metadata(self._catalog, request))

    def _evaluate(self, verb: str, request: Any, call: Call) -> Outcome:
        def compute() -> Any:
            return self._run(
                calls.model_ref(request),
                call,
                lambda inference, version: tasks.evaluate(inference, verb, request, version),
            )

        return self._counted(verb.capitalize(), request, compute)

    def _run(self, ref: ModelRef, call: Call, run: Callable[[Inference, int], Any]) -> Any:
        with self._catalog.lease(ref.name, ref.version, ref.label) as (version, model):
            return run(Inference(model, ref.name, call.remaining(), self._monitor), version)

    def _counted(self, api: str, request: Any, compute: Callable[[], Any]) -> Outcome:
        started = time.monotonic()
        answer, code, message = calls.outcome(compute)
        if self._monitor:
            taken = time.monotonic() - started
            self._monitor.answered(request.model_spec.name, api, "GRPC", code, taken)
        return answer, code, message


def metadata(catalog: Catalog, request: Any) -> Any:
    """Return the GetModelMetadataResponse; raise ServingError if the request asks for anything else."""
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    if not request.metadata_field:
        raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
    for field in request.metadata_field:
        if field != SIGNATURES:
            raise invalid(f"Metadata field {field} is not supported")
    ref = calls.from_spec(request.model_spec)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    with catalog.lease(ref.name, ref.version, ref.label) as (version, model):
        for name, signature in model.signatures.items():
            signatures.signature_def[name].CopyFrom(signature.definition)
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    calls.fill_spec(response.model_spec, ref.name, None, version)
    response.metadata[SIGNATURES].Pack(signatures)
    return response
