"""What records say about a camera without frames."""

import pytest

from pipeline.wire.status import State
from tests.clock import Clock
from tests.video.cameras.statuses import a_report
from video.cameras import reports
from video.cameras.reports import Consumers, newer, why_silent


@pytest.fixture
def clock() -> Clock:
    """The time."""
    return Clock()


def nothing() -> str:
    """Nothing is known to be wrong behind the producer."""
    return ""


@pytest.mark.parametrize(
    ("state", "said", "expected"),
    [
        ("no-signal", "wrong password", "wrong password"),
        ("no-signal", None, None),
        ("paused", "the operator has paused it", "the operator has paused it"),
        ("connecting", "not open yet", "it is being opened"),
        ("live", None, "its producer sends frames, but none arrive"),
        ("stopped", None, "its producer has stopped"),
    ],
)
def test_a_record_explains_the_silence(
    clock: Clock, state: State, said: str | None, expected: str | None
) -> None:
    assert why_silent(a_report(clock, state, said), nothing, clock.now, still_sends=True) == expected


def test_without_a_record_nothing_is_known(clock: Clock) -> None:
    assert why_silent(None, nothing, clock.now, still_sends=True) is None


def test_an_old_record_says_only_that_there_is_no_newer_one(clock: Clock) -> None:
    report = a_report(clock, "no-signal", "wrong password")

    clock.now += 61

    assert why_silent(report, nothing, clock.now, still_sends=True) == "its producer no longer reports"


@pytest.mark.parametrize(
    ("state", "age", "expected"),
    [("live", 24, None), ("live", 26, "its producer no longer reports"), ("no-signal", 59, "wrong password")],
)
def test_a_producer_that_has_missed_two_reports_may_be_gone(
    clock: Clock, state: State, age: float, expected: str | None
) -> None:
    said = "wrong password" if state == "no-signal" else None
    report = a_report(clock, state, said, age)

    assert why_silent(report, nothing, clock.now, still_sends=False) == expected


def test_the_consumer_may_be_to_blame(clock: Clock) -> None:
    consumers = Consumers()
    live = a_report(clock, "live")

    def reason() -> str | None:
        return why_silent(live, lambda: consumers.missing(clock.now), clock.now, still_sends=True)

    assert "no consumer reports" in (reason() or "")
    consumers.note(a_report(clock, "not-ready", "no partition", service="consumer", camera=""))
    assert "the consumer is not ready: no partition" in (reason() or "")
    consumers.note(a_report(clock, "ready", service="consumer", camera=""))
    assert reason() == "its producer sends frames, but none arrive"
    consumers.note(a_report(clock, "stopped", service="consumer", camera=""))
    assert "no consumer reports" in (reason() or "")


def test_a_consumer_that_has_missed_two_reports_is_to_blame(clock: Clock) -> None:
    consumers = Consumers()
    consumers.note(a_report(clock, "ready", service="consumer", camera="", instance="hung", age=26))

    assert consumers.missing(clock.now) == "the consumer no longer reports"
    consumers.note(a_report(clock, "ready", service="consumer", camera="", instance="well", age=24))
    assert consumers.missing(clock.now) == ""


def test_a_producer_may_not_have_noticed_yet(clock: Clock) -> None:
    live = a_report(clock, "live")

    assert why_silent(live, nothing, clock.now, still_sends=False) is None
    missing = why_silent(live, lambda: "no consumer reports", clock.now, still_sends=False)
    assert "no consumer reports" in (missing or "")


def test_the_consumers_are_limited_in_number(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "time", clock)
    consumers = Consumers()

    for number in range(1000):
        report = a_report(
            clock, "not-ready", str(number), service="consumer", instance=str(number), camera=""
        )
        consumers.note(report)
        clock.now += 1

    assert consumers.trouble(clock.now) == "999"
    assert len(consumers._reports) == 100


def test_a_new_producer_replaces_one_that_was_killed_or_stopped(clock: Clock) -> None:
    killed = a_report(clock, "live", age=5)
    opening = a_report(clock, "connecting", instance="b")

    assert newer(None, killed, clock.now) is killed
    assert newer(killed, opening, clock.now) is opening
    assert newer(a_report(clock, "stopped", age=1), opening, clock.now) is opening


def test_neither_the_last_word_of_another_producer_nor_an_older_record_does(clock: Clock) -> None:
    running = a_report(clock, "live", instance="b", age=1)

    assert newer(running, a_report(clock, "stopped"), clock.now) is running
    assert newer(running, a_report(clock, "no-signal", "away", age=9), clock.now) is running


def test_the_same_producer_always_does(clock: Clock) -> None:
    stopped = a_report(clock, "stopped")

    assert newer(a_report(clock, "live"), stopped, clock.now) is stopped


@pytest.mark.exceeds("video.cameras.reports._MOST_CONSUMERS")
def test_a_flood_of_invented_consumers_does_not_displace_one_that_reports(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("video.cameras.reports.time", clock)
    consumers = Consumers()
    for _ in range(12):
        consumers.note(a_report(clock, "not-ready", "model away", camera="", instance="real"))
        for number in range(200):
            consumers.note(a_report(clock, "ready", camera="", instance=f"x{number}"))
        clock.now += 10

    assert consumers.trouble(clock.now) == "model away"
    assert len(consumers._reports) == 100


def test_a_new_consumer_takes_the_place_of_one_that_no_longer_reports(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("video.cameras.reports.time", clock)
    consumers = Consumers()
    for number in range(100):
        consumers.note(a_report(clock, "ready", camera="", instance=f"x{number}"))
    clock.now += 61

    consumers.note(a_report(clock, "not-ready", "model away", camera="", instance="new"))

    assert consumers.trouble(clock.now) == "model away"
