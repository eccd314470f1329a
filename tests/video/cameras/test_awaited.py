"""A camera that has sent no frame, as the API reports it."""

import pytest

from pipeline.wire.status import State
from tests.clock import Clock
from tests.video.cameras.statuses import a_report
from tests.video.conftest import LIMITS
from video.cameras.awaited import Awaited
from video.cameras.reports import Consumers


@pytest.fixture(autouse=True)
def ticking(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the clock be the awaited camera's as well."""
    monkeypatch.setattr("video.cameras.awaited.time", clock)


def awaited(clock: Clock, state: State, reason: str | None = None) -> Awaited:
    """Return a camera with a consumer that is ready."""
    consumers = Consumers()
    consumers.note(a_report(clock, "ready", service="consumer", camera=""))
    return Awaited(1, "door", a_report(clock, state, reason), LIMITS, consumers)


def said(camera: Awaited) -> tuple[str, str | None]:
    """Return the state and the reason."""
    status = camera.status()
    return status["state"], status["reason"]


def test_the_status_has_what_the_api_promises(clock: Clock) -> None:
    camera = awaited(clock, "no-signal", "wrong password")

    clock.now += 5

    assert camera.status() == {
        "name": "door",
        "group": "",
        "state": "never-seen",
        "reason": "wrong password",
        "since": "2001-09-09T01:46:40Z",
        "fps": 0.0,
        "age_ms": None,
        "seq": 0,
        "width": 0,
        "height": 0,
        "predictions": [],
    }


def test_a_camera_is_connecting_while_it_is_opened(clock: Clock) -> None:
    assert said(awaited(clock, "connecting", "not open yet")) == ("connecting", "it is being opened")


def test_a_paused_camera_is_paused(clock: Clock) -> None:
    assert said(awaited(clock, "paused")) == ("paused", None)


def test_the_first_frame_may_take_a_while(clock: Clock) -> None:
    camera = awaited(clock, "live")

    assert said(camera)[0] == "connecting"
    clock.now += 14
    assert said(camera)[0] == "connecting"
    clock.now += 2
    assert said(camera) == ("never-seen", "its producer sends frames, but none arrive")


def test_the_first_frame_of_a_slow_camera_may_take_longer(clock: Clock) -> None:
    """As after a restart of this server."""
    camera = awaited(clock, "live")
    camera.take(a_report(clock, "live", interval=15))

    clock.now += 44
    camera._consumers.note(a_report(clock, "ready", service="consumer", camera=""))
    camera.take(a_report(clock, "live", interval=15))
    first = said(camera)[0]
    clock.now += 2

    assert first == "connecting"
    assert said(camera) == ("never-seen", "its producer sends frames, but none arrive")


def test_it_takes_less_if_something_is_known_to_be_in_its_way(clock: Clock) -> None:
    camera = Awaited(1, "door", a_report(clock, "live"), LIMITS, Consumers())

    clock.now += LIMITS.no_signal_after + 0.1

    assert said(camera)[0] == "never-seen"
    assert "no consumer" in (said(camera)[1] or "")


@pytest.mark.parametrize(("interval", "grace"), [(0, 3), (0.5, 3), (2, 6), (10, 15), (3600, 15)])
def test_a_consumer_that_is_missing_may_be_there_by_the_next_frame(
    clock: Clock, interval: float, grace: float
) -> None:
    camera = Awaited(1, "door", a_report(clock, "live", interval=interval), LIMITS, Consumers())

    clock.now += grace - 0.1
    before = said(camera)[0]
    clock.now += 0.2

    assert (before, said(camera)[0]) == ("connecting", "never-seen")


def test_a_newer_record_that_changes_something_is_reported(clock: Clock) -> None:
    camera = awaited(clock, "connecting")

    assert camera.take(a_report(clock, "no-signal", "wrong password"))
    assert not camera.take(a_report(clock, "no-signal", "wrong password"))
    assert camera.take(a_report(clock, "no-signal", "wrong path"))
    assert camera.state == "never-seen"


def test_a_producer_that_no_longer_reports_is_noticed(clock: Clock) -> None:
    camera = awaited(clock, "connecting")

    clock.now += 61

    assert camera.check(None)
    assert said(camera) == ("never-seen", "its producer no longer reports")
    assert camera.status()["since"] == "2001-09-09T01:46:40Z"


def test_without_the_broker_nothing_is_blamed_on_the_camera(clock: Clock) -> None:
    camera = awaited(clock, "no-signal", "wrong password")
    clock.now += 100

    assert camera.check("Kafka is away")
    assert said(camera) == ("broker-away", "Kafka is away")
    assert camera.status()["since"] == "2001-09-09T01:48:20Z"
    clock.now += 100
    assert not camera.check("Kafka is away")
    assert camera.check(None)
