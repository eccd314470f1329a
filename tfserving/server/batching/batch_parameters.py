"""Batching parameters: read from the text of a BatchingParameters, with defaults."""

import os
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from tfserving.server import text_proto
from tfserving.server.batching.session_bundle_config_pb2 import BatchingParameters
from tfserving.server.errors import invalid

DEFAULT_POOL = "model_server_batch_threads"
MODEL_FILE = "batching_params.pbtxt"


@dataclass(frozen=True, slots=True)
class Parameters:
    """The batching parameters of one model; sizes are rows along the 0th dimension."""

    max_size: int = 1000  # of a request, and of a batch if requests are not split
    timeout: float = 0.0  # s that a batch waits for more requests
    max_enqueued: int = 10  # batches that wait for a thread
    allowed_sizes: tuple[int, ...] = ()  # of a batch; empty: any
    pad_inputs: bool = False  # let requests with different inner dimensions share a batch
    split: bool = False  # let a request be split over several batches
    max_execution_size: int = 1000  # of a batch

    def execution_size(self, rows: int) -> int:
        """Return the batch size for a number of rows: the smallest allowed size that holds them."""
        return next((size for size in self.allowed_sizes if size >= rows), rows)


_DEFAULTS = Parameters()


@dataclass(frozen=True, slots=True)
class Threads:
    """The threads that run the batches of all models."""

    count: int = field(default_factory=lambda: os.cpu_count() or 1)
    name: str = DEFAULT_POOL


def read(file: Path | None) -> tuple[Parameters, Threads]:
    """Return the parameters and threads that a file sets, with defaults for the rest.

    Raises ServingError if the file cannot be read, does not hold BatchingParameters, or has an invalid value.
    """
    if file is None:
        return _DEFAULTS, Threads()
    message = text_proto.read(file, BatchingParameters())
    return _parameters(message), _threads(message)


def read_of_model(folder: Path) -> Parameters | None:
    """Return the parameters from a version's folder, or None if it has no such file; raise as `read` does."""
    file = folder / MODEL_FILE
    return read(file)[0] if file.is_file() else None


def _threads(message: BatchingParameters) -> Threads:
    threads = Threads(
        _value(message, "num_batch_threads", os.cpu_count() or 1),
        _value(message, "thread_pool_name", "batch_threads"),
    )
    if threads.count < 1:
        raise invalid(f"num_batch_threads must be positive; was {threads.count}")
    return threads


def _parameters(message: BatchingParameters) -> Parameters:
    split = bool(_value(message, "enable_large_batch_splitting", False))
    max_size = _value(message, "max_batch_size", _DEFAULTS.max_size)
    max_enqueued = _value(message, "max_enqueued_batches", _DEFAULTS.max_enqueued)
    parameters = Parameters(
        max_size=max_size,
        timeout=_value(message, "batch_timeout_micros", 0) / 1e6,
        # 0 would refuse every request. TensorFlow Serving takes it literally only with splitting.
        max_enqueued=max_enqueued if split else max_enqueued or 1,
        allowed_sizes=tuple(message.allowed_batch_sizes),
        pad_inputs=message.pad_variable_length_inputs,
        split=split,
        max_execution_size=_value(message, "max_execution_batch_size", max_size) if split else max_size,
    )
    _check(parameters)
    return parameters


def _check(parameters: Parameters) -> None:
    sizes = parameters.allowed_sizes
    if parameters.max_size < 1:
        raise invalid(f"input_batch_size_limit must be positive; was {parameters.max_size}")
    if sizes and sizes[-1] != parameters.max_size:
        raise invalid(
            "Last entry in allowed_batch_sizes must match max_batch_size;"
            f" last entry was {sizes[-1]}; expected {parameters.max_size}"
        )
    if any(one >= other for one, other in pairwise(sizes)):
        raise invalid("allowed_batch_sizes entries must be monotonically increasing")
    if parameters.timeout < 0:
        raise invalid(f"batch_timeout_micros must be non-negative; was {parameters.timeout * 1e6:.0f}")
    if parameters.max_enqueued < 1:
        raise invalid(f"max_enqueued_batches must be positive; was {parameters.max_enqueued}")
    if parameters.max_execution_size < 1:
        raise invalid(f"max_execution_batch_size must be positive; was {parameters.max_execution_size}")
    if parameters.max_execution_size > parameters.max_size:
        raise invalid(
            "When enable_large_batch_splitting is true, input_batch_size_limit must be greater than or equal"
            " to max_execution_batch_size."
        )


def _value(message: BatchingParameters, name: str, default: Any) -> Any:
    return getattr(message, name).value if message.HasField(name) else default
