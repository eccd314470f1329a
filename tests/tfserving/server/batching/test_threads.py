"""Threads that run the batches of all queues."""

import math
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from tfserving.server.batching.batch_parameters import Parameters, Threads
from tfserving.server.batching.queue import Queue, Task
from tfserving.server.batching.threads import BatchThreads


@pytest.fixture
def threads() -> Iterator[BatchThreads]:
    """Two threads."""
    threads = BatchThreads(Threads(count=2, name="pool"))
    yield threads
    threads.close()


class Runs:
    """Runs batches, one row each, and keeps the numbers in them."""

    def __init__(self) -> None:
        self.numbers: list[list[int]] = []
        self.came = threading.Semaphore(0)

    def __call__(self, batch: list[Task]) -> None:
        """Keep a batch."""
        self.numbers.append([int(one.inputs["x"][0]) for one in batch])
        self.came.release()


def task(number: int) -> Task:
    return Task({"x": np.array([number])}, 1, math.inf)


def test_a_full_batch_is_run_at_once(threads: BatchThreads) -> None:
    runs = Runs()
    queue = Queue(Parameters(max_size=2, max_execution_size=2, timeout=60), runs)

    threads.put(queue, task(1))
    threads.put(queue, task(2))

    assert runs.came.acquire(timeout=20)
    assert runs.numbers == [[1, 2]]


def test_a_batch_is_run_when_its_time_is_over(threads: BatchThreads) -> None:
    runs = Runs()

    threads.put(Queue(Parameters(timeout=0.05), runs), task(1))

    assert runs.came.acquire(timeout=20)
    assert runs.numbers == [[1]]


def test_queues_run_beside_each_other(threads: BatchThreads) -> None:
    both = threading.Barrier(2)
    done = threading.Semaphore(0)

    def meet(_: list[Task]) -> None:
        both.wait(20)
        done.release()

    for number in range(2):
        threads.put(Queue(Parameters(), meet), task(number))

    assert done.acquire(timeout=20)
    assert done.acquire(timeout=20)


def test_a_batch_that_fails_does_not_end_its_thread(
    threads: BatchThreads, caplog: pytest.LogCaptureFixture
) -> None:
    runs = Runs()

    def fail(_: list[Task]) -> None:
        raise RuntimeError("broken")

    for number in range(4):
        threads.put(Queue(Parameters(), fail), task(number))
    threads.put(Queue(Parameters(), runs), task(7))

    assert runs.came.acquire(timeout=20)
    assert "broken" in caplog.text
