"""A connection is cut at its deadline, and at no other time."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from pipeline.watchdog import Watchdog
from tests.parts import wait_for

TIMEOUT = 0.2


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a connection."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(10)
        yield ours, theirs


@pytest.fixture
def watchdog() -> Iterator[Watchdog]:
    """A watchdog whose thread ends with the test."""
    watchdog = Watchdog(TIMEOUT)
    yield watchdog
    watchdog.end()


@pytest.fixture(autouse=True)
def others() -> set[threading.Thread]:
    """The threads that were there before the test."""
    return set(threading.enumerate())


def threads(others: set[threading.Thread]) -> list[threading.Thread]:
    """Return the threads of the test's watchdogs."""
    return [each for each in threading.enumerate() if each.name == "watchdog" and each not in others]


def test_a_connection_is_cut_at_its_deadline(
    watchdog: Watchdog, pair: tuple[socket.socket, socket.socket]
) -> None:
    begun = time.monotonic()
    for _ in range(3):  # while it sleeps, too
        watchdog.watch(pair[0], time.monotonic() + TIMEOUT)
        watchdog.rest()
        time.sleep(TIMEOUT / 8)
    watchdog.watch(pair[0], time.monotonic() + TIMEOUT)

    assert pair[0].recv(1) == b""
    assert time.monotonic() - begun >= TIMEOUT * 11 / 8


def test_a_connection_that_is_done_in_time_is_not_cut(
    watchdog: Watchdog, pair: tuple[socket.socket, socket.socket]
) -> None:
    watchdog.watch(pair[0], time.monotonic() + TIMEOUT)
    watchdog.rest()
    time.sleep(2 * TIMEOUT)

    pair[1].sendall(b"a")
    assert pair[0].recv(1) == b"a"


def test_a_connection_that_is_already_closed_does_no_harm(
    watchdog: Watchdog, others: set[threading.Thread]
) -> None:
    closed, other = socket.socketpair()
    other.close()
    closed.close()

    watchdog.watch(closed, time.monotonic())
    time.sleep(2 * TIMEOUT)

    assert len(threads(others)) == 1


def test_its_thread_ends_and_begins_again(
    pair: tuple[socket.socket, socket.socket], others: set[threading.Thread]
) -> None:
    watchdog = Watchdog(TIMEOUT)
    watchdog.watch(pair[0], time.monotonic() + TIMEOUT)
    watchdog.end()
    wait_for(lambda: not threads(others), 10, "the thread to end")

    watchdog.watch(pair[0], time.monotonic() + TIMEOUT)

    assert pair[0].recv(1) == b""
    watchdog.end()
    wait_for(lambda: not threads(others), 10, "the thread to end again")
