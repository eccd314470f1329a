"""Bodies that wait for a thread."""

import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest

from tfserving.server.held import SMALL, Held

PATIENCE = 20.0


class Body(bytearray):
    """Bytes whose end can be seen."""


@pytest.fixture
def may_end() -> threading.Event:
    return threading.Event()


@pytest.fixture
def held(may_end: threading.Event) -> Iterator[Held]:
    """Yield the bodies of a single thread, which is busy until `may_end`."""
    with ThreadPoolExecutor(1) as executor:
        has_begun = threading.Event()

        def wait() -> None:
            has_begun.set()
            may_end.wait(PATIENCE)

        executor.submit(wait)
        assert has_begun.wait(PATIENCE)
        yield Held(executor)
        may_end.set()


def test_cancelled_work_gives_back_its_body_at_once(held: Held) -> None:
    body = Body(SMALL + 1)
    seen = weakref.ref(body)
    run = held.submit(len, cast("bytes", body))
    del body
    assert seen() is not None

    assert run.cancel()

    assert seen() is None
    assert held.size == 0


def test_a_body_counts_until_its_work_is_done(held: Held, may_end: threading.Event) -> None:
    run = held.submit(len, bytes(SMALL + 1))
    assert held.size == SMALL + 1

    may_end.set()

    assert run.result(PATIENCE) == SMALL + 1
    assert held.submit(len, b"abc").result(PATIENCE) == 3  # the thread is done with the first
    assert held.size == 0


def test_the_largest_and_oldest_of_the_bodies_that_wait_is_given_up(held: Held) -> None:
    sizes = [SMALL, SMALL + 1, SMALL + 2, SMALL + 2]
    small, large, old, new = (held.submit(len, bytes(size)) for size in sizes)

    assert not held.give_up(SMALL + 3)
    assert held.give_up(SMALL + 1)
    assert [each.cancelled() for each in (small, large, old, new)] == [False, False, True, False]
    assert held.give_up(SMALL + 1)
    assert held.give_up(SMALL + 1)
    assert not held.give_up(0)
    assert not small.cancelled()


def test_a_body_that_a_thread_works_on_is_not_given_up(held: Held, may_end: threading.Event) -> None:
    has_begun, may_go_on = threading.Event(), threading.Event()

    def work(body: bytes) -> int:
        has_begun.set()
        assert may_go_on.wait(PATIENCE)
        return len(body)

    run = held.submit(work, bytes(SMALL + 1))
    may_end.set()
    assert has_begun.wait(PATIENCE)

    assert not held.give_up(0)
    assert held.size == SMALL + 1
    may_go_on.set()
    assert run.result(PATIENCE) == SMALL + 1
