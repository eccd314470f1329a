"""The gRPC service that reports and changes which models are served."""

import logging
import threading
from typing import Any, Final

from tensorflow_serving.apis import get_model_status_pb2, model_management_pb2

from pipeline.wire.text import one_line
from tfserving.server.errors import Code, invalid
from tfserving.server.models.catalog import Catalog
from tfserving.server.rpc import calls
from tfserving.server.rpc.calls import Call, Outcome

log = logging.getLogger(__name__)

_SHOWN: Final = 20  # models of a new config in the log


class ModelService:
    """Answers requests about a catalog of models."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._reloading = threading.Lock()

    def GetModelStatus(self, request: Any, _: Call) -> Outcome:  # noqa: N802
        """Report the states of a model's versions, or of one of them."""
        return calls.outcome(lambda: status(self._catalog, request))

    def HandleReloadConfigRequest(self, request: Any, call: Call) -> Outcome:  # noqa: N802
        """Serve other models; answers once the new ones are available, or at the deadline.

        Only one request at a time may hold a thread for that; others are refused (UNAVAILABLE).
        """
        if not self._reloading.acquire(blocking=False):
            return None, Code.UNAVAILABLE, "Models of another config are being loaded: try again"
        try:
            return calls.outcome(lambda: reload(self._catalog, request, call.remaining()))
        finally:
            self._reloading.release()


def status(catalog: Catalog, request: Any) -> Any:
    """Return the GetModelStatusResponse; raise ServingError if there is no such model or version."""
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    spec = request.model_spec
    version = spec.version.value if spec.HasField("version") else None
    response = get_model_status_pb2.GetModelStatusResponse()
    for known in catalog.statuses(spec.name, version):
        one = response.model_version_status.add(version=known.version, state=int(known.state))
        # Set even if it is OK, so that the field is present.
        one.status.error_code = int(known.code)
        one.status.error_message = known.message
    return response


def reload(catalog: Catalog, request: Any, timeout: float) -> Any:
    """Apply a ReloadConfigRequest and return its response; raise ServingError if it fails or is refused."""
    config = request.config
    if config.WhichOneof("config") != "model_config_list":
        raise invalid(
            "ServerModelConfig type not supported by HandleReloadConfigRequest."
            " Only ModelConfigList is currently supported"
        )
    entries = config.model_config_list.config
    for i, entry in enumerate(entries[:_SHOWN]):
        log.info(
            "Config entry: index: %d path: %s name: %s platform: %s",
            i,
            *(one_line(text[:1000]) for text in (entry.base_path, entry.name, entry.model_platform)),
        )
    if len(entries) > _SHOWN:
        log.info("Config entries: %d in all", len(entries))
    catalog.reload(config, timeout)
    response = model_management_pb2.ReloadConfigResponse()
    response.status.error_code = 0
    return response
