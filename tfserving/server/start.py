"""The server put together: models, threads and HTTP, from the flags."""

import socket
import sys
import threading
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial

from tfserving.runtime import tf
from tfserving.server import api
from tfserving.server.catalog import Catalog
from tfserving.server.errors import ServingError
from tfserving.server.flags import Flags
from tfserving.server.model import Model
from tfserving.server.rest import RestApi
from tfserving.server.saved import Runtime, SavedModel
from tfserving.server.serve import serve
from tfserving.server.versions import Retries


def version() -> str:
    """Return the line that `--version` prints."""
    return f"TensorFlow runtime: {tf.__version__}"


def run(flags: Flags, listener: socket.socket, stop: threading.Event) -> int:
    """Load the model, serve until told to stop, and return the exit status."""
    catalog = build(flags)
    interval = flags.file_system_poll_wait_seconds
    executor = ThreadPoolExecutor(flags.rest_api_num_threads, "rest")
    try:
        catalog.wait_until_available(stop, max(interval, 1))
        if stop.is_set():
            return 0
        if interval > 0:
            threading.Thread(target=catalog.keep_polling, args=(stop, interval), daemon=True).start()
        serve(_application(flags, catalog, executor), listener, stop, catalog.close)
    except (OSError, ServingError) as error:
        print(f"Failed to start server. Error: {error}", file=sys.stderr)
        return 1
    finally:
        catalog.close()
        executor.shutdown(cancel_futures=True)
    return 0


def _application(flags: Flags, catalog: Catalog, executor: Executor) -> RestApi:
    return RestApi(
        partial(api.answer, catalog),
        executor,
        timeout=flags.rest_api_timeout_in_ms / 1000,
        cors=flags.rest_api_enable_cors_support,
    )


def build(flags: Flags) -> Catalog:
    """Return the catalog of the one model that the flags name."""
    runtime = Runtime(
        tags=tuple(flags.saved_model_tags.split(",")),
        intra_op_threads=flags.tensorflow_intra_op_parallelism or flags.tensorflow_session_parallelism,
        inter_op_threads=flags.tensorflow_inter_op_parallelism or flags.tensorflow_session_parallelism,
        timeout_ms=flags.rest_api_timeout_in_ms,
    )
    retries = Retries(flags.max_num_load_retries, flags.load_retry_interval_micros / 1e6)
    load = partial(SavedModel, runtime=runtime)
    return Catalog([Model(flags.model_name, flags.model_base_path, load, retries)])
