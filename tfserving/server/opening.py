"""Load a version's folder as a model, with or without batching, and count the attempts."""

import time
from dataclasses import dataclass
from pathlib import Path

from tfserving.server.batching import batch_parameters
from tfserving.server.batching.batch_parameters import Parameters
from tfserving.server.batching.batched import BatchedModel
from tfserving.server.batching.threads import BatchThreads
from tfserving.server.flags import Flags
from tfserving.server.graph.counted import CountedModel
from tfserving.server.graph.saved import Runtime, SavedModel
from tfserving.server.monitoring.monitoring import Monitor


@dataclass(frozen=True, slots=True)
class Batching:
    """The threads of all batches, and their parameters.

    If the parameters are None, each version has its own in its folder, or is not batched.
    """

    threads: BatchThreads
    parameters: Parameters | None


def batching(flags: Flags) -> Batching | None:
    """Return the batching that the flags ask for; raise ServingError if its file is invalid."""
    if not flags.enable_batching:
        return None
    file = flags.batching_parameters_file
    parameters, threads = batch_parameters.read(Path(file) if file else None)
    per_model = flags.enable_per_model_batching_parameters
    return Batching(BatchThreads(threads), None if per_model else parameters)


class Opener:
    """Loads the model in a version's folder. Several threads may call it."""

    def __init__(self, runtime: Runtime, monitor: Monitor, batching: Batching | None = None) -> None:
        self._runtime = runtime
        self._monitor = monitor
        self._batching = batching

    def __call__(self, folder: Path) -> SavedModel:
        """Return the loaded model; raise ServingError if it cannot be loaded."""
        started = time.monotonic()
        good = False
        try:
            model = self._open(folder)
            good = True
        finally:
            self._monitor.loaded(folder, good=good, seconds=time.monotonic() - started)
        return model

    def _open(self, folder: Path) -> SavedModel:
        if self._batching is not None:
            parameters = self._batching.parameters or batch_parameters.read_of_model(folder)
            if parameters is not None:
                return BatchedModel(folder, self._runtime, self._monitor, parameters, self._batching.threads)
        return CountedModel(folder, self._runtime, self._monitor)
