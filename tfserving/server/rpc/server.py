"""The gRPC server: its services, threads, port and socket."""

import logging
from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from tfserving.server.models.catalog import Catalog
from tfserving.server.monitoring.monitoring import Monitor
from tfserving.server.rpc.model_service import ModelService
from tfserving.server.rpc.options import RpcOptions
from tfserving.server.rpc.prediction_service import PredictionService

log = logging.getLogger(__name__)

MAX_MESSAGE = 2**31 - 1  # bytes
HEALTHY = ("", "ModelService", "PredictionService")


class RpcServer:
    """Serves a catalog of models over gRPC once `start` is called."""

    def __init__(self, catalog: Catalog, options: RpcOptions, monitor: Monitor | None = None) -> None:
        self._options = options
        self._executor = ThreadPoolExecutor(options.threads, "grpc")
        self._server = grpc.server(
            self._executor,
            options=[
                ("grpc.max_receive_message_length", MAX_MESSAGE),
                ("grpc.max_send_message_length", MAX_MESSAGE),
                # Otherwise two servers on one port would silently share its requests.
                ("grpc.so_reuseport", 0),
                *options.channel,
            ],
        )
        predictions = PredictionService(catalog, monitor, as_content=options.as_content)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(predictions, self._server)
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(catalog), self._server)
        if options.health:
            _add_health(self._server)

    def start(self) -> int:
        """Bind the port and the socket, and accept requests; return the port, or 0 if there is none.

        Raises OSError if one of them cannot be bound.
        """
        options = self._options
        port = 0
        if options.port or not options.socket_path:
            port = self._bind(f"0.0.0.0:{options.port}")
        if options.socket_path:
            self._bind(f"unix:{options.socket_path}")
        self._server.start()
        if port:
            log.info("Running gRPC ModelServer at 0.0.0.0:%d ...", port)
        if options.socket_path:
            log.info("Running gRPC ModelServer at UNIX socket unix:%s ...", options.socket_path)
        return port

    def stop(self, grace: float) -> None:
        """Accept no more requests, and cancel those still running after `grace` s; return immediately."""
        self._server.stop(grace)

    def join(self, timeout: float | None = None) -> None:
        """Wait until the last request is answered or cancelled, for at most `timeout` s."""
        self._server.wait_for_termination(timeout)

    def close(self) -> None:
        """Cancel all requests, and wait for the threads that run them."""
        self._server.stop(None).wait()
        self._executor.shutdown(cancel_futures=True)

    def _bind(self, address: str) -> int:
        credentials = self._options.credentials
        try:
            if credentials is None:
                return self._server.add_insecure_port(address)
            return self._server.add_secure_port(address, credentials)
        except RuntimeError as error:
            raise OSError(f"{address} cannot be bound for gRPC") from error


def _add_health(server: grpc.Server) -> None:
    servicer = health.HealthServicer()
    for name in HEALTHY:
        servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
