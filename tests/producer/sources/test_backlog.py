import pytest

from producer.sources import backlog as module
from producer.sources.backlog import Backlog
from tests.clock import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def late(clock: Clock, *, took: float, count: int, sent: float = 0.04, ahead: float = 0.0) -> list[int]:
    """Return which frames are late if each takes so long, and the camera sends one every `sent` s."""
    backlog, begun, numbers = Backlog(), clock.now - ahead, []
    for number in range(count):
        waited = max(0.0, begun + number * sent - clock.now)
        clock.now += waited
        if backlog.is_late(number * sent, waited):
            numbers.append(number)
        clock.now += took
    return numbers


def test_a_reader_that_keeps_up_is_not_late(clock: Clock) -> None:
    assert late(clock, took=0.03, count=10_000) == []


def test_a_reader_that_is_too_slow_is_late_when_the_lag_shows(clock: Clock) -> None:
    first, *rest = late(clock, took=0.05, count=500)

    assert first * 0.01 == pytest.approx(0.5, abs=0.05)
    assert len(rest) == 500 - first - 1


def test_what_a_camera_sends_at_once_is_no_backlog(clock: Clock) -> None:
    assert late(clock, took=0.004, count=1000, ahead=4.0) == []


def test_a_cameras_clock_may_go_wrong(clock: Clock) -> None:
    assert late(clock, took=0.01, count=100_000, sent=0.0401) == []
