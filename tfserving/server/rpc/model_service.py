"""The gRPC service that tells and changes which models are served."""

import logging
from typing import Any

import grpc
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
)

from tfserving.server.errors import invalid
from tfserving.server.models.catalog import Catalog
from tfserving.server.rpc import calls

log = logging.getLogger(__name__)


class ModelService(model_service_pb2_grpc.ModelServiceServicer):  # type: ignore[misc]
    """Answers from a catalog of models."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def GetModelStatus(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Tell the states of a model's versions, or of one of them."""
        return calls.finish(context, *calls.settle(lambda: status(self._catalog, request)))

    def HandleReloadConfigRequest(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Serve other models; answers when those that are new can be asked."""
        return calls.finish(context, *calls.settle(lambda: reload(self._catalog, request)))


def status(catalog: Catalog, request: Any) -> Any:
    """Return the GetModelStatusResponse; raise ServingError where there is no such model or version."""
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    spec = request.model_spec
    version = spec.version.value if spec.HasField("version") else None
    response = get_model_status_pb2.GetModelStatusResponse()
    for known in catalog.statuses(spec.name, version):
        one = response.model_version_status.add(version=known.version, state=int(known.state))
        # Set even to OK, so that the field is there.
        one.status.error_code = int(known.code)
        one.status.error_message = known.message
    return response


def reload(catalog: Catalog, request: Any) -> Any:
    """Serve the models of a ReloadConfigRequest and return its response; raise ServingError where refused."""
    config = request.config
    if config.WhichOneof("config") != "model_config_list":
        raise invalid(
            "ServerModelConfig type not supported by HandleReloadConfigRequest."
            " Only ModelConfigList is currently supported"
        )
    for i, entry in enumerate(config.model_config_list.config):
        log.info(
            "Config entry: index: %d path: %s name: %s platform: %s",
            i,
            entry.base_path,
            entry.name,
            entry.model_platform,
        )
    catalog.reload(config)
    response = model_management_pb2.ReloadConfigResponse()
    response.status.error_code = 0
    return response
