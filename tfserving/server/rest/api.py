"""The responses of the REST API, without HTTP: from a route and a body to JSON text."""

import json
from contextlib import ExitStack

from tfserving.server.errors import invalid
from tfserving.server.graph.saved import SavedModel
from tfserving.server.graph.signature import DEFAULT_SIGNATURE
from tfserving.server.inference import aliases, results
from tfserving.server.inference.inference import Inference
from tfserving.server.json.values import Array
from tfserving.server.models.catalog import Catalog
from tfserving.server.monitoring.monitoring import Monitor
from tfserving.server.rest import examples, request, response
from tfserving.server.rest.route import Route


def answer(catalog: Catalog, route: Route, body: bytes, monitor: Monitor | None = None) -> bytes:
    """Return the JSON text of the response to a request; raise ServingError if it fails."""
    if route.verb == "status":
        return _status(catalog, route)
    if route.verb == "metadata":
        return _metadata(catalog, route)
    if route.verb == "predict":
        return _predict(catalog, route, body, monitor)
    return _classify_or_regress(catalog, route, body, monitor)


def _status(catalog: Catalog, route: Route) -> bytes:
    statuses = catalog.statuses(route.name, route.version)
    return json.dumps(
        {
            "model_version_status": [
                {
                    "version": str(status.version),
                    "state": status.state.name,
                    "status": {"error_code": status.code.name, "error_message": status.message},
                }
                for status in statuses
            ]
        },
        indent=1,
    ).encode()


def _metadata(catalog: Catalog, route: Route) -> bytes:
    with catalog.lease(route.name, route.version, route.label) as (version, model):
        spec = {"name": route.name, "signature_name": "", "version": str(version)}
        signatures = {"signature_def": model.metadata()}
    return json.dumps({"model_spec": spec, "metadata": {"signature_def": signatures}}, indent=1).encode()


def _predict(catalog: Catalog, route: Route, body: bytes, monitor: Monitor | None) -> bytes:
    with ExitStack() as lent:
        with request.room(body):
            asked = request.read(body)
            _, model = lent.enter_context(catalog.lease(route.name, route.version, route.label))
            name, feeds = _feeds(model, asked)
            is_row = asked.is_row
            del asked
        outputs = Inference(model, route.name, monitor=monitor).predict(name, feeds)
    return response.text(outputs, row=is_row)


def _feeds(model: SavedModel, asked: request.Request) -> tuple[str, dict[str, Array]]:
    """Return the name of the signature that a request asks for, and the tensors of its inputs."""
    name = asked.signature or DEFAULT_SIGNATURE
    signature = model.signatures.get(name)
    if signature is None:
        raise invalid(f'Serving signature name: "{name}" not found in signature def')
    if not signature.inputs:
        raise invalid(f"Failed to get input map for signature: {asked.signature or 'DEFAULT'}")
    dtypes = {alias: tensor.dtype for alias, tensor in signature.inputs.items()}
    feeds = request.feeds(asked, dtypes)
    if len(feeds) < len(dtypes):
        # Rows that are binary strings set only the first input.
        raise aliases.wrong_size(set(feeds), set(dtypes))
    results.check_method("predict", signature)
    return name, feeds


def _classify_or_regress(catalog: Catalog, route: Route, body: bytes, monitor: Monitor | None) -> bytes:
    with request.room(body):
        asked = request.read(body)
        batch = examples.serialized(asked.body)
        signature = asked.signature
        del asked
    with catalog.lease(route.name, route.version, route.label) as (_, model):
        inference = Inference(model, route.name, monitor=monitor)
        outputs = inference.evaluate(route.verb, signature, batch)
    return results.text(route.verb, outputs)
