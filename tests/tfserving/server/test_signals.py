"""Signals as an event."""

import signal
import threading
from collections.abc import Iterator

import pytest

from tfserving.server import signals


@pytest.fixture
def handlers() -> Iterator[None]:
    """Put the process' own handlers back afterwards."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    signal.set_wakeup_fd(-1)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_sets_the_event(number: signal.Signals) -> None:
    event = signals.stop_event()
    assert not event.is_set()

    signal.pthread_kill(threading.main_thread().ident or 0, number)

    assert event.wait(20)
