"""Assemble the server from the flags: models, threads, gRPC and HTTP."""

import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from tfserving.runtime import tf
from tfserving.server import opening, prediction_log
from tfserving.server.flags import Flags
from tfserving.server.models import build, upkeep
from tfserving.server.models.catalog import Catalog
from tfserving.server.monitoring import monitoring
from tfserving.server.monitoring.monitoring import Monitor
from tfserving.server.rest import api
from tfserving.server.rest.application import RestApi
from tfserving.server.rest.serve import GRACE_SECONDS, HttpServer
from tfserving.server.rpc import options
from tfserving.server.rpc.server import RpcServer


def version() -> str:
    """Return the lines that `--version` prints."""
    return f"TensorFlow ModelServer: stand-in\nTensorFlow Library: {tf.__version__}"


def run(flags: Flags, config: Any, listener: socket.socket | None, stop: threading.Event) -> None:
    """Load the models of a ModelServerConfig, and serve until `stop` is set.

    Raises ServingError or OSError if the server cannot start.
    """
    monitor = Monitor()
    metrics_path = monitoring.metrics_path(flags.monitoring_config_file)
    open_model = opening.Opener(build.runtime(flags), monitor, opening.batching(flags))
    loads = ThreadPoolExecutor(flags.num_load_threads or os.cpu_count(), "load")
    unloads = ThreadPoolExecutor(flags.num_unload_threads or 1, "unload")
    requests = ThreadPoolExecutor(flags.rest_api_num_threads, "rest")
    load = build.loader(flags, open_model, prediction_log.replay, stop, monitor)
    catalog = build.catalog(flags, loads, unloads, load)
    try:
        _load(flags, catalog, config, stop)
        if not stop.is_set():
            rest = _rest(flags, catalog, requests, monitor, metrics_path)
            http = HttpServer(rest, listener, stop) if listener else None
            _serve(RpcServer(catalog, options.options(flags), monitor), http, catalog, stop)
    finally:
        stop.set()
        catalog.close()
        for executor in (loads, unloads, requests):
            executor.shutdown(cancel_futures=True)


def _load(flags: Flags, catalog: Catalog, config: Any, stop: threading.Event) -> None:
    """Return once every model is available or `stop` is set. From then on, versions are kept up to date."""
    catalog.reconfigure(config)
    _in_background(upkeep.keep_polling, catalog, stop, flags.file_system_poll_wait_seconds)
    catalog.wait_until_available(stop)
    seconds = flags.model_config_file_poll_wait_seconds
    if flags.model_config_file and seconds > 0:
        _in_background(upkeep.keep_reading, catalog, Path(flags.model_config_file), stop, seconds)


def _in_background(target: Callable[..., None], *arguments: Any) -> None:
    threading.Thread(target=target, args=arguments, name=target.__name__, daemon=True).start()


def _serve(rpc: RpcServer, http: HttpServer | None, catalog: Catalog, stop: threading.Event) -> None:
    """Open the ports and serve until `stop` is set; requests that still run two seconds later are cancelled.

    Raises OSError if another process has taken a port in the meantime.
    """
    try:
        rpc.start()
        if http:
            http.start()
        stop.wait()
        rpc.stop(GRACE_SECONDS)
        if http:
            http.stop()
            http.join(GRACE_SECONDS)
        rpc.join(GRACE_SECONDS)
        catalog.close()
        if http:
            http.join()
    finally:
        rpc.close()


def _rest(
    flags: Flags, catalog: Catalog, requests: Executor, monitor: Monitor, metrics_path: str | None
) -> RestApi:
    return RestApi(
        partial(api.answer, catalog, monitor=monitor),
        requests,
        timeout=flags.rest_api_timeout_in_ms / 1000,
        cors=flags.rest_api_enable_cors_support,
        monitor=monitor,
        metrics_path=metrics_path,
    )
