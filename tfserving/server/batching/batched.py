"""A SavedModel whose requests run together."""

import logging
import math
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from tfserving.server.batching import batch
from tfserving.server.batching.batch_parameters import Parameters
from tfserving.server.batching.queue import Queue, Task
from tfserving.server.batching.threads import BatchThreads
from tfserving.server.errors import Code, ServingError
from tfserving.server.graph.counted import CountedModel
from tfserving.server.graph.saved import Runtime, Tensor
from tfserving.server.json.values import Array
from tfserving.server.monitoring.monitoring import Monitor

log = logging.getLogger(__name__)

# The names of the tensors fed and fetched; requests with the same names share batches.
_Tensors = tuple[frozenset[str], frozenset[str]]


class BatchedModel(CountedModel):
    """A loaded SavedModel; simultaneous requests from several threads run as one batch."""

    def __init__(
        self, folder: Path, runtime: Runtime, monitor: Monitor, parameters: Parameters, threads: BatchThreads
    ) -> None:
        """Load the graph; raise ServingError if it cannot be loaded."""
        self._parameters = parameters
        self._threads = threads
        self._declared: dict[_Tensors, str] = {}
        self._queues: dict[tuple[_Tensors, str], Queue] = {}
        self._lock = threading.Lock()
        super().__init__(folder, runtime, monitor)
        self._declared = {
            _tensors(signature.inputs.values(), signature.outputs.values()): name
            for name, signature in self.signatures.items()
        }

    def run(
        self,
        name: str,
        feeds: Mapping[str, Array],
        fetch: Sequence[str] | None = None,
        timeout: float | None = None,
    ) -> dict[str, Array]:
        """Run like `SavedModel.run`, in a batch with other requests.

        A request that does not fetch all outputs of a signature runs alone. Raises ServingError also if the
        request cannot be batched, if too many requests are waiting, or if its batch fails.
        """
        signature = self.signatures[name]
        wanted = {
            alias: signature.outputs[alias] for alias in (signature.outputs if fetch is None else fetch)
        }
        declared = self._declared.get(_tensors(signature.inputs.values(), wanted.values()))
        if declared is None or not set(signature.inputs).issubset(feeds):
            return super().run(name, feeds, fetch, timeout)
        inputs = {tensor.name: feeds[alias] for alias, tensor in signature.inputs.items()}
        rows = batch.rows(inputs)
        for _ in inputs:
            self._monitor.took_in(rows)
        limit = self._runtime.timeout_ms / 1000 if timeout is None else timeout
        task = Task(inputs, rows, time.monotonic() + limit)
        outputs = _wait(self._threads.put(self._queue(declared, inputs), task))
        return {alias: outputs[tensor.name] for alias, tensor in wanted.items()}

    def _queue(self, declared: str, inputs: Mapping[str, Array]) -> Queue:
        signature = self.signatures[declared]
        # Batches hold one dtype, so that a dtype that the graph refuses fails only its own request.
        dtypes = " ".join(str(inputs[tensor.name].dtype) for tensor in signature.inputs.values())
        key = _tensors(signature.inputs.values(), signature.outputs.values()), dtypes
        with self._lock:
            if key not in self._queues:
                self._queues[key] = Queue(self._parameters, partial(self._process, declared))
            return self._queues[key]

    def _process(self, name: str, tasks: list[Task]) -> None:
        """Run a batch and complete each of its tasks, except those that were cancelled."""
        now = time.monotonic()
        live = [task for task in tasks if task.outputs.set_running_or_notify_cancel()]
        for task in live:
            self._monitor.queued(self._threads.name, now - task.enqueued)
        if not live:
            return
        try:
            parts = self._run_batch(name, live, max(task.deadline for task in live) - now)
        except ServingError as failure:
            _fail(live, failure)
        except Exception as error:
            log.exception("A batch of %s failed", name)
            _fail(live, ServingError(Code.INTERNAL, f"Internal error: {type(error).__name__}"))
        else:
            for task, part in zip(live, parts, strict=True):
                task.outputs.set_result(part)

    def _run_batch(self, name: str, tasks: list[Task], limit: float) -> list[dict[str, Array]]:
        merged, size, padding = batch.merge([task.inputs for task in tasks], self._parameters)
        self._monitor.batched(size, padding)
        signature = self.signatures[name]
        feeds = {alias: merged[tensor.name] for alias, tensor in signature.inputs.items()}
        if limit <= 0:
            raise _over_in_queue()
        self._monitor.batch_ran()
        fetched = super().run(name, feeds, timeout=limit)
        outputs = {signature.outputs[alias].name: array for alias, array in fetched.items()}
        return batch.split(outputs, [task.rows for task in tasks], size)


def _tensors(inputs: Iterable[Tensor], outputs: Iterable[Tensor]) -> _Tensors:
    return frozenset(tensor.name for tensor in inputs), frozenset(tensor.name for tensor in outputs)


def _wait(parts: list[Task]) -> dict[str, Array]:
    """Return the outputs of a request, which may be split.

    If it times out, a batch that is already running continues for its other requests.
    """
    outputs = []
    try:
        for part in parts:
            left = part.deadline - time.monotonic()
            outputs.append(part.outputs.result(None if math.isinf(left) else max(0, left)))
    except TimeoutError:
        if part.outputs.cancel():
            raise _over_in_queue() from None
        raise ServingError(
            Code.DEADLINE_EXCEEDED, "Run() timeout exceeded while running in a batch"
        ) from None
    finally:
        for part in parts:
            part.outputs.cancel()
    if len(outputs) == 1:
        return outputs[0]
    return {name: np.concatenate([one[name] for one in outputs]) for name in outputs[0]}


def _over_in_queue() -> ServingError:
    return ServingError(Code.RESOURCE_EXHAUSTED, "Run() timeout exceeded while waiting in batching queue")


def _fail(tasks: list[Task], failure: ServingError) -> None:
    for task in tasks:
        # A new exception for each request, because each is raised in another thread.
        task.outputs.set_exception(ServingError(failure.code, failure.message))
