"""Build the catalog and its loader from the flags."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from tfserving.server.errors import Code, ServingError
from tfserving.server.flags import Flags
from tfserving.server.graph.saved import Runtime, SavedModel
from tfserving.server.models import warmup
from tfserving.server.models.catalog import Catalog
from tfserving.server.models.model import Model
from tfserving.server.models.versions import Retries
from tfserving.server.monitoring.monitoring import Monitor


def catalog(flags: Flags, loads: Executor, unloads: Executor, load: Callable[[Path], SavedModel]) -> Catalog:
    """Return an empty catalog that loads and unloads versions in the executors' threads."""
    retries = Retries(flags.max_num_load_retries, flags.load_retry_interval_micros / 1e6)

    def make(name: str) -> Model:
        return Model(name, None, load, retries, submit_load=loads.submit, submit_unload=unloads.submit)

    return Catalog(make=make, allow_unavailable_labels=flags.allow_version_labels_for_unavailable_models)


def loader(
    flags: Flags,
    open_model: Callable[[Path], SavedModel],
    replay: Callable[[SavedModel, Any], None],
    stop: threading.Event,
    monitor: Monitor,
) -> Callable[[Path], SavedModel]:
    """Return a function that loads a version: it opens the folder, then replays its warm-up requests.

    `replay` runs a PredictionLog on a model. Once `stop` is set, no further one is replayed.
    """
    iterations = max(flags.num_request_iterations_for_warmup, 1)

    def load(folder: Path) -> SavedModel:
        model = open_model(folder)

        def replay_one(prediction_log: Any) -> None:
            if stop.is_set():
                raise ServingError(Code.CANCELLED, "The server is shutting down")
            replay(model, prediction_log)

        try:
            if flags.enable_model_warmup:
                started = time.monotonic()
                records = warmup.run(folder, replay_one, iterations)
                if records:
                    monitor.warmed_up(folder, records, time.monotonic() - started)
        except BaseException:
            model.close()
            raise
        return model

    return load


def runtime(flags: Flags) -> Runtime:
    """Return the options for loading and running graphs."""
    intra, inter = flags.tensorflow_intra_op_parallelism, flags.tensorflow_inter_op_parallelism
    if not intra and not inter:
        intra = inter = flags.tensorflow_session_parallelism
    return Runtime(
        tags=tuple(flags.saved_model_tags.split(",")),
        intra_op_threads=intra,
        inter_op_threads=inter,
        timeout_ms=flags.rest_api_timeout_in_ms,
        check_method_names=flags.enable_signature_method_name_check,
    )
