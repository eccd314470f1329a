"""Memory that requests share."""

import threading

import pytest

from tfserving.server.errors import Code, ServingError
from tfserving.server.room import Room

PATIENCE = 20.0


def test_what_fits_is_taken_at_once_and_given_back() -> None:
    room = Room(100, "JSON")

    for _ in range(3):
        with room.take(60, 0), room.take(40, 0):
            pass


def test_what_never_fits_is_refused() -> None:
    with pytest.raises(ServingError, match="3 MiB of memory for JSON, but at most 2 MiB") as caught:
        Room(2 << 20, "JSON").take(3 << 20, PATIENCE).__enter__()

    assert caught.value.code == Code.INVALID_ARGUMENT


def test_what_does_not_fit_yet_waits() -> None:
    room, order = Room(100, "JSON"), list[str]()

    def second() -> None:
        with room.take(60, PATIENCE):
            order.append("second")

    thread = threading.Thread(target=second)
    with room.take(60, 0):
        thread.start()
        with room.take(40, PATIENCE):  # fits, although another waits
            order.append("first")
    thread.join(PATIENCE)

    assert order == ["first", "second"]


def test_the_wait_has_an_end() -> None:
    room = Room(100, "JSON")

    with room.take(60, 0), pytest.raises(ServingError) as caught:
        room.take(60, 0.01).__enter__()

    assert caught.value.code == Code.DEADLINE_EXCEEDED
