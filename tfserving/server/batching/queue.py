"""A queue that groups requests into batches."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

from tfserving.server.batching.batch_parameters import Parameters
from tfserving.server.errors import Code, ServingError, invalid
from tfserving.server.json.values import Array


@dataclass(frozen=True, slots=True)
class Task:
    """A request, or a part of a split one: its inputs by tensor name, and a future for its outputs."""

    inputs: Mapping[str, Array]
    rows: int
    deadline: float  # on the monotonic clock
    enqueued: float = field(default_factory=time.monotonic)
    outputs: Future[dict[str, Array]] = field(default_factory=Future)


class Queue:
    """The requests that may share batches. Call its methods with the lock of the threads held."""

    def __init__(self, parameters: Parameters, process: Callable[[list[Task]], None]) -> None:
        """Take `process`, which runs a batch and completes each of its tasks."""
        self.process = process
        self._parameters = parameters
        # Requests are added to the last batch.
        self._batches: deque[list[Task]] = deque([[]])
        self._opened = 0.0

    def put(self, task: Task) -> list[Task]:
        """Add a request; return it, or its parts if it is split.

        Raises ServingError: INVALID_ARGUMENT if it is too large, UNAVAILABLE if the queue is full.
        """
        self._check(task.rows)
        tasks = self._split(task)
        for part in tasks:
            if self._size(-1) + part.rows > self._parameters.max_execution_size:
                self._batches.append([])
            if not self._batches[-1]:
                self._opened = part.enqueued
            self._batches[-1].append(part)
        return tasks

    def take(self) -> list[Task] | None:
        """Return the next batch that is ready to run, or None."""
        if len(self._batches) == 1:
            if not self._batches[0] or self.ready_in() > 0:
                return None
            self._batches.append([])
        return self._batches.popleft()

    def ready_in(self) -> float:
        """Return the seconds until a batch is ready to run; infinity if the queue is empty."""
        if len(self._batches) > 1 or self._size(-1) >= self._parameters.max_execution_size:
            return 0.0
        if not self._batches[-1]:
            return float("inf")
        return max(0.0, self._opened + self._parameters.timeout - time.monotonic())

    def _size(self, batch: int) -> int:
        return sum(task.rows for task in self._batches[batch])

    def _check(self, rows: int) -> None:
        limit, most = self._parameters.max_size, self._parameters.max_enqueued
        if rows > limit:
            raise invalid(f"Task size {rows} is larger than maximum input batch size {limit}")
        full = "The batch scheduling queue to which this task was submitted is full"
        if not self._parameters.split:
            if self._size(-1) + rows > limit and len(self._batches) >= most:
                raise ServingError(
                    Code.UNAVAILABLE,
                    f"{full}; currently {len(self._batches)} batches enqueued and max_enqueued_batches is"
                    f" {most}",
                )
            return
        size = self._parameters.max_execution_size
        capacity = (most - len(self._batches)) * size + size - self._size(-1)
        if rows > capacity:
            raise ServingError(
                Code.UNAVAILABLE,
                f"{full}; task size is {rows} but scheduling capacity is only {capacity}"
                f" (num_enqueued_batches={len(self._batches)}, max_enqueued_batches={most},"
                f" open_batch_size={self._size(-1)}, max_execution_batch_size={size})",
            )

    def _split(self, task: Task) -> list[Task]:
        size = self._parameters.max_execution_size
        room = size - self._size(-1)
        if not self._parameters.split or task.rows <= room:
            return [task]
        starts = [*([0] if room else []), *range(room, task.rows, size)]
        ends = [*starts[1:], task.rows]
        return [
            Task(
                {name: array[start:end] for name, array in task.inputs.items()},
                end - start,
                task.deadline,
                task.enqueued,
            )
            for start, end in zip(starts, ends, strict=True)
        ]
