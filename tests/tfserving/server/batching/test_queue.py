"""A queue forms batches according to its size and time limits."""

import math
import time
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfserving.server.batching.batch_parameters import Parameters
from tfserving.server.batching.queue import Queue, Task
from tfserving.server.errors import Code, ServingError

PATIENT = Parameters(max_size=4, max_execution_size=4, timeout=60)
HASTY = Parameters(max_size=4, max_execution_size=4)
SPLITTING = Parameters(max_size=20, max_execution_size=4, max_enqueued=3, split=True, timeout=60)


def queue(parameters: Parameters) -> Queue:
    return Queue(parameters, lambda _: None)


def task(rows: int) -> Task:
    return Task({"x:0": np.arange(rows)}, rows, math.inf)


def sizes(batch: list[Task] | None) -> list[int]:
    return [one.rows for one in batch or []]


def test_a_batch_waits_for_more_requests_until_it_is_full() -> None:
    waiting = queue(PATIENT)

    waiting.put(task(3))
    assert waiting.take() is None
    assert 59 < waiting.ready_in() <= 60
    waiting.put(task(1))

    assert waiting.ready_in() == 0
    assert sizes(waiting.take()) == [3, 1]
    assert waiting.take() is None
    assert waiting.ready_in() == math.inf


def test_a_batch_waits_no_longer_than_its_timeout() -> None:
    waiting = queue(Parameters(timeout=0.02))
    waiting.put(task(1))
    time.sleep(waiting.ready_in())
    waiting.put(task(1))

    assert sizes(waiting.take()) == [1, 1]


def test_without_a_timeout_a_batch_is_ready_immediately() -> None:
    waiting = queue(HASTY)

    waiting.put(task(0))

    assert waiting.ready_in() == 0
    assert sizes(waiting.take()) == [0]


def test_a_request_that_does_not_fit_starts_the_next_batch() -> None:
    waiting = queue(PATIENT)

    waiting.put(task(3))
    waiting.put(task(2))

    assert sizes(waiting.take()) == [3]
    assert waiting.take() is None


def test_a_request_that_is_too_large_is_refused() -> None:
    with pytest.raises(
        ServingError, match=r"^Task size 5 is larger than maximum input batch size 4$"
    ) as caught:
        queue(PATIENT).put(task(5))

    assert caught.value.code == Code.INVALID_ARGUMENT


def test_a_full_queue_refuses_requests_that_do_not_fit_its_last_batch() -> None:
    waiting = queue(Parameters(max_size=4, max_execution_size=4, max_enqueued=2))
    waiting.put(task(4))
    waiting.put(task(3))

    with pytest.raises(ServingError, match="this task was submitted is full; currently 2 batches") as caught:
        waiting.put(task(2))
    waiting.put(task(1))

    assert caught.value.code == Code.UNAVAILABLE
    assert sizes(waiting.take()) == [4]
    assert sizes(waiting.take()) == [3, 1]


def test_a_large_request_is_split_into_batches() -> None:
    waiting = queue(SPLITTING)
    waiting.put(task(3))

    parts = waiting.put(task(7))

    assert [part.inputs["x:0"].tolist() for part in parts] == [[0], [1, 2, 3, 4], [5, 6]]
    assert [sizes(waiting.take()), sizes(waiting.take())] == [[3, 1], [4]]
    assert waiting.take() is None


def test_a_large_request_needs_room_in_the_queue() -> None:
    waiting = queue(SPLITTING)
    waiting.put(task(3))

    with pytest.raises(
        ServingError,
        match=r"full; task size is 10 but scheduling capacity is only 9 \(num_enqueued_batches=1,"
        r" max_enqueued_batches=3, open_batch_size=3, max_execution_batch_size=4\)$",
    ) as caught:
        waiting.put(task(10))

    assert caught.value.code == Code.UNAVAILABLE
    assert [part.rows for part in waiting.put(task(9))] == [1, 4, 4]


@given(st.lists(st.integers(0, 20)), st.sampled_from([PATIENT, HASTY, SPLITTING]))
def test_every_accepted_row_comes_out_once(rows: list[int], parameters: Parameters) -> None:
    waiting = queue(parameters)
    taken: list[Task] = []
    for count in rows:
        with suppress(ServingError):
            taken += waiting.put(task(count))
    batches = []
    while waiting.ready_in() == 0 and (batch := waiting.take()):
        batches.append(batch)
    left = waiting._batches[-1]

    assert [one for batch in batches for one in batch] + left == taken
    assert all(sum(sizes(batch)) <= parameters.max_execution_size for batch in batches)
