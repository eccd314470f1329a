"""Bodies that wait for a thread."""

import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest

from tfserving.server import held as module
from tfserving.server.errors import ServingError
from tfserving.server.held import SMALL, Held

PATIENCE = 20.0


class Bytes(bytearray):
    """Bytes whose end can be seen."""


@pytest.fixture
def may_end() -> threading.Event:
    return threading.Event()


@pytest.fixture
def executor(may_end: threading.Event) -> Iterator[ThreadPoolExecutor]:
    """Yield a single thread, which is busy until `may_end`."""
    with ThreadPoolExecutor(1) as executor:
        has_begun = threading.Event()

        def wait() -> None:
            has_begun.set()
            may_end.wait(PATIENCE)

        executor.submit(wait)
        assert has_begun.wait(PATIENCE)
        yield executor
        may_end.set()


@pytest.fixture
def held(executor: ThreadPoolExecutor) -> Held:
    return Held(executor)


def test_cancelled_work_gives_back_its_body_at_once(held: Held) -> None:
    body = Bytes(SMALL + 1)
    seen = weakref.ref(body)
    run = held.submit(len, cast("bytes", body), "a")
    del body
    assert seen() is not None

    assert run.cancel()

    assert seen() is None
    assert held.size == 0


def test_a_body_counts_until_its_work_is_done(held: Held, may_end: threading.Event) -> None:
    run = held.submit(len, bytes(SMALL + 1), "a")
    assert held.size == SMALL + 1

    may_end.set()

    assert run.result(PATIENCE) == SMALL + 1
    assert held.submit(len, b"abc", "a").result(PATIENCE) == 3  # the thread is done with the first
    assert held.size == 0


def test_an_error_is_the_outcome_of_the_work(held: Held, may_end: threading.Event) -> None:
    run = held.submit(int, b"abc", "a")
    may_end.set()

    with pytest.raises(ValueError, match="abc"):
        run.result(PATIENCE)


def test_the_largest_and_oldest_of_the_bodies_that_wait_is_given_up(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_HELD", 3 * SMALL + 10)
    sizes = [SMALL, SMALL + 1, SMALL + 2, SMALL + 2]
    runs = [held.submit(len, bytes(size), "a") for size in sizes]

    assert held.submit(len, bytes(SMALL + 2), "a")
    assert [each.cancelled() for each in runs] == [False, False, True, False]
    with pytest.raises(ServingError, match="Too many large requests"):
        held.submit(len, bytes(SMALL + 7), "a")
    assert [each.cancelled() for each in runs] == [False, False, True, False]


def test_the_client_with_the_most_bytes_gives_way(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_HELD", 12 * SMALL)
    greedy = [held.submit(len, bytes(2 * SMALL), "greedy") for _ in range(5)]
    others = [held.submit(len, bytes(4 * SMALL), name) for name in "ab"]

    assert [each.cancelled() for each in greedy] == [True, True, True, False, False]
    assert not any(each.cancelled() for each in others)
    with pytest.raises(ServingError, match="Too many large requests"):
        held.submit(len, bytes(5 * SMALL), "greedy")
    assert not any(each.cancelled() for each in (*greedy[3:], *others))


def test_a_body_that_a_thread_works_on_is_not_given_up(
    held: Held, may_end: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_begun, may_go_on = threading.Event(), threading.Event()

    def work(body: bytes) -> int:
        has_begun.set()
        assert may_go_on.wait(PATIENCE)
        return len(body)

    run = held.submit(work, bytes(SMALL + 1), "a")
    may_end.set()
    assert has_begun.wait(PATIENCE)
    monkeypatch.setattr(module, "MOST_HELD", SMALL + 1)

    with pytest.raises(ServingError, match="Too many large requests"):
        held.submit(len, bytes(SMALL + 1), "b")
    assert held.size == SMALL + 1
    may_go_on.set()
    assert run.result(PATIENCE) == SMALL + 1


def test_cancelled_work_leaves_nothing_in_the_queue(held: Held, executor: ThreadPoolExecutor) -> None:
    for _ in range(1000):
        assert held.submit(len, b"", "a").cancel()

    assert executor._work_queue.qsize() == 1


def test_all_work_is_done_whatever_is_cancelled_next_to_it(held: Held, may_end: threading.Event) -> None:
    runs = [held.submit(len, bytes(each), "a") for each in range(50)]
    for each in runs[::3]:
        assert each.cancel()
    runs += [held.submit(len, bytes(each), "a") for each in range(50, 100)]
    may_end.set()

    done = [each.result(PATIENCE) for each in runs if not each.cancelled()]

    assert done == [each for each in range(100) if each % 3 or each >= 50]


def test_work_that_waits_ends_with_the_executor(
    held: Held, executor: ThreadPoolExecutor, may_end: threading.Event
) -> None:
    runs = [held.submit(len, b"", "a") for _ in range(3)]

    executor.shutdown(wait=False, cancel_futures=True)

    assert all(each.cancelled() for each in runs)
    may_end.set()
