"""The server's metrics, under TensorFlow Serving's names."""

import threading
from pathlib import Path
from typing import Final

from tfserving.server import text_proto
from tfserving.server.errors import Code
from tfserving.server.monitoring.metrics import Counter, Histogram, exponential, page
from tfserving.server.monitoring.monitoring_config_pb2 import MonitoringConfig

DEFAULT_PATH = "/monitoring/prometheus/metrics"

_SERVING = "/tensorflow/serving/"
_BATCHING = f"{_SERVING}batching_session/"
_LOADING = "/tensorflow/cc/saved_model/"
_LATENCIES = exponential(10, 1.8, 33)  # us, up to twenty minutes
_QUEUE_LATENCIES = exponential(100, 1.2, 52)  # us, up to a second
_SIZES = exponential(1, 2, 14)  # rows

MOST_UNSERVED: Final = 1000
"""Names of models that have failed only, of which each has metrics of its own: clients can invent any."""
LONGEST_UNSERVED: Final = 1000
"""Characters of such a name."""


class Monitor:
    """The server's metrics. Any thread may call its methods.

    Failed requests for models beyond the limits above are counted under an empty name.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._served = set[str]()
        self._unserved = set[str]()
        self._requests = Counter(f"{_SERVING}request_count", "model_name", "status")
        self._latency = Histogram(f"{_SERVING}request_latency", _LATENCIES, "model_name", "API", "entrypoint")
        self._runtime = Histogram(f"{_SERVING}runtime_latency", _LATENCIES, "model_name", "API", "runtime")
        self._examples = Histogram(f"{_SERVING}request_example_counts", _SIZES, "model")
        self._example_total = Counter(f"{_SERVING}request_example_count_total", "model")
        self._attempts = Counter(f"{_LOADING}load_attempt_count", "model_path", "status")
        self._load_latency = Counter(f"{_LOADING}load_latency", "model_path")
        self._warmup = Histogram(f"{_SERVING}model_warmup_latency", _LATENCIES, "model_path", "status")
        self._warmup_records = Counter(f"{_SERVING}model_warmup_records_read", "model_path", "status")
        self._runs = Counter("/tensorflow/core/graph_runs")
        self._queue = Histogram(f"{_BATCHING}queuing_latency", _QUEUE_LATENCIES, "thread_pool_name")
        self._batches = Counter(f"{_BATCHING}wrapped_run_count")
        self._padding = Histogram(f"{_BATCHING}padding_size", _SIZES, "execution_batch_size")
        self._inputs = Histogram(f"{_BATCHING}input_batch_size", _SIZES)
        self._processed = Histogram(f"{_BATCHING}processed_batch_size", _SIZES)

    def answered(self, model: str, api: str, entrypoint: str, code: Code, seconds: float) -> None:
        """Count a request; `api` is its method, empty for GET, and `entrypoint` is REST or GRPC."""
        self._requests.add(self._named(model, code), code.name)
        if code == Code.OK:
            self._latency.add(seconds * 1e6, model, api, entrypoint)

    def ran(self, model: str, api: str, seconds: float) -> None:
        """Record the duration of a request's successful run; `api` is Predict, Classify or Regress."""
        self._runtime.add(seconds * 1e6, model, api, "TF1")

    def had_examples(self, model: str, count: int) -> None:
        """Record the number of examples in a request."""
        self._examples.add(count, model)
        self._example_total.add(model, by=count)

    def loaded(self, folder: Path, *, good: bool, seconds: float) -> None:
        """Record an attempt to load a version."""
        self._attempts.add(str(folder), "success" if good else "fail")
        self._load_latency.add(str(folder), by=round(seconds * 1e6))

    def warmed_up(self, folder: Path, records: int, seconds: float) -> None:
        """Record the number of a version's warm-up requests, and how long they took."""
        self._warmup.add(seconds * 1e6, str(folder), Code.OK.name)
        self._warmup_records.add(str(folder), Code.OK.name, by=records)

    def graph_ran(self) -> None:
        """Count a run of a graph, for one request or a batch of several."""
        self._runs.add()

    def queued(self, pool: str, seconds: float) -> None:
        """Record how long a request waited for its batch."""
        self._queue.add(seconds * 1e6, pool)

    def took_in(self, rows: int) -> None:
        """Record the rows of one input of a request to be batched."""
        self._inputs.add(rows)

    def batched(self, rows: int, padding: int) -> None:
        """Record a batch: its rows, and how many of them are padding."""
        self._padding.add(padding, str(rows))
        self._processed.add(rows)

    def batch_ran(self) -> None:
        """Count a batch's run of the graph."""
        self._batches.add()

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return page(metric for metric in vars(self).values() if isinstance(metric, Counter | Histogram))

    def _named(self, model: str, code: Code) -> str:
        """Return the name under which to count a request; a model that has answered is served."""
        with self._lock:
            if code == Code.OK:
                self._served.add(model)
            elif model not in self._served and model not in self._unserved:
                if len(self._unserved) >= MOST_UNSERVED or len(model) > LONGEST_UNSERVED:
                    return ""
                self._unserved.add(model)
        return model


def metrics_path(file: str) -> str | None:
    """Return the path that `--monitoring_config_file` sets, or None if there is no file or it sets none.

    Raises ServingError if the file cannot be read, or does not hold a MonitoringConfig.
    """
    if not file:
        return None
    config = text_proto.read(Path(file), MonitoringConfig()).prometheus_config
    return (config.path or DEFAULT_PATH) if config.enable else None
