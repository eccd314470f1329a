"""The gRPC server: its services, threads, port and socket."""

import asyncio
import logging
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from tensorflow_serving.apis import model_service_pb2, prediction_service_pb2

from tfserving.server.models.catalog import Catalog
from tfserving.server.monitoring.monitoring import Monitor
from tfserving.server.rpc.methods import LARGEST_REQUEST, Methods
from tfserving.server.rpc.model_service import ModelService
from tfserving.server.rpc.options import RpcOptions
from tfserving.server.rpc.prediction_service import PredictionService

log = logging.getLogger(__name__)

_LARGEST_ANSWER: Final = 2**31 - 1  # bytes
_HEALTHY: Final = ("", "ModelService", "PredictionService")


class RpcServer:
    """Serves a catalog of models over gRPC once `start` is called, from an event loop in a thread."""

    def __init__(self, catalog: Catalog, options: RpcOptions, monitor: Monitor | None = None) -> None:
        self._catalog = catalog
        self._options = options
        host = options.host or "0.0.0.0"  # noqa: S104 # as TensorFlow Serving does
        self._host = f"[{host}]" if ":" in host else host
        self._monitor = monitor
        self._executor = ThreadPoolExecutor(options.threads, "grpc")
        self._server: Any = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="grpc")

    def start(self) -> int:
        """Bind the port and the socket, and accept requests; return the port, or 0 if there is none.

        Raises OSError if one of them cannot be bound.
        """
        self._thread.start()
        port: int = self._run(self._start())
        if port:
            log.info("Running gRPC ModelServer at %s:%d ...", self._host, port)
        if self._options.socket_path:
            log.info("Running gRPC ModelServer at UNIX socket unix:%s ...", self._options.socket_path)
        return port

    def stop(self, grace: float) -> None:
        """Accept no more requests, and cancel those still running after `grace` s; return immediately."""
        asyncio.run_coroutine_threadsafe(self._server.stop(grace), self._loop)

    def join(self, timeout: float | None = None) -> None:
        """Wait until the last request is answered or cancelled, for at most `timeout` s."""
        self._run(self._server.wait_for_termination(timeout))

    def close(self) -> None:
        """Cancel all requests, and wait for the threads that run them."""
        if self._thread.is_alive():
            if self._server is not None:
                self._run(self._server.stop(None))
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()
        self._executor.shutdown(cancel_futures=True)

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _start(self) -> int:
        options = self._options
        methods = Methods(self._executor)
        self._server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", LARGEST_REQUEST),
                ("grpc.max_send_message_length", _LARGEST_ANSWER),
                # Otherwise two servers on one port would silently share its requests.
                ("grpc.so_reuseport", 0),
                # Otherwise gRPC would receive megabytes of a message before anything asks for it. The message
                # that is asked for is received at full speed in any case.
                ("grpc.http2.bdp_probe", 0),
                *options.channel,
            ],
        )
        predictions = PredictionService(self._catalog, self._monitor, as_content=options.as_content)
        self._server.add_generic_rpc_handlers(
            (
                methods.handlers(_service(prediction_service_pb2, "PredictionService"), predictions),
                methods.handlers(_service(model_service_pb2, "ModelService"), ModelService(self._catalog)),
            )
        )
        if options.health:
            await _add_health(self._server)
        port = 0
        if options.port or not options.socket_path:
            port = self._bind(f"{self._host}:{options.port}")
        if options.socket_path:
            self._bind(f"unix:{options.socket_path}")
        await self._server.start()
        return port

    def _bind(self, address: str) -> int:
        credentials = self._options.credentials
        try:
            if credentials is None:
                return int(self._server.add_insecure_port(address))
            return int(self._server.add_secure_port(address, credentials))
        except RuntimeError as error:
            raise OSError(f"{address} cannot be bound for gRPC") from error


def _service(module: Any, name: str) -> Any:
    return module.DESCRIPTOR.services_by_name[name]


async def _add_health(server: Any) -> None:
    servicer = health.aio.HealthServicer()  # type: ignore[attr-defined] # where there is asyncio
    for name in _HEALTHY:
        await servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
