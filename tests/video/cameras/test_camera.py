"""One camera as the video server knows it."""

from typing import Any

import pytest

from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Prediction, Result
from tests.clock import SECOND, Clock
from tests.video.cameras.statuses import a_report
from tests.video.conftest import LIMITS
from tests.video.fakes import Audience, a_frame
from video.cameras.camera import Camera, CameraStatus
from video.cameras.reports import Consumers, Report

FRESH = Prediction("imagenet_1", (Result("tench", 0.93),), 17, 41)


def at(clock: Clock, seq: int = 1, *predictions: Prediction) -> Frame:
    """Return a frame captured now."""
    return a_frame(seq, captured=clock.time_ns(), predictions=predictions)


def states(camera: Camera) -> tuple[str, str]:
    """Return the state and since when."""
    status = camera.status()
    return status["state"], status["since"]


def test_the_status_has_what_the_api_promises(clock: Clock) -> None:
    camera = Camera(1, at(clock, 19, FRESH), LIMITS)
    clock.now += 0.041

    assert camera.status() == {
        "name": "door",
        "group": "",
        "state": "live",
        "reason": None,
        "since": "2001-09-09T01:46:40Z",
        "fps": 0.0,
        "age_ms": 41,
        "seq": 19,
        "width": 64,
        "height": 48,
        "predictions": [
            {
                "model": "imagenet_1",
                "results": [{"label": "tench", "score": 0.93}],
                "seq": 17,
                "age_ms": 41,
                "stale": False,
            }
        ],
    }


def test_a_camera_without_a_model_is_live(clock: Clock) -> None:
    camera = Camera(1, at(clock), LIMITS)

    assert states(camera) == ("live", "2001-09-09T01:46:40Z")


@pytest.mark.parametrize(
    ("age", "state"), [(0, "live"), (5000, "live"), (5001, "stale"), (60_000, "stale"), (None, "model-away")]
)
def test_an_old_answer_makes_the_label_stale_and_none_is_a_model_away(
    clock: Clock, age: int | None, state: str
) -> None:
    old = Prediction("imagenet_2", (), None if age is None else 3, age)

    camera = Camera(1, at(clock, 1, FRESH, old), LIMITS)
    camera.show(at(clock, 2, FRESH, old))

    assert camera.status()["state"] == state


def test_no_model_is_away_because_the_first_frame_has_no_answer_yet(clock: Clock) -> None:
    report = a_report(clock, "live", interval=10)
    camera = Camera(1, at(clock, 1, Prediction("imagenet_1")), LIMITS, report=report)

    clock.now += 9
    first = camera.status()["state"]
    camera.show(at(clock, 2, Prediction("imagenet_1")))

    assert (first, camera.status()["state"]) == ("live", "model-away")


@pytest.mark.parametrize(
    ("age", "stale"), [(0, False), (5000, False), (5001, True), (60_000, True), (None, False)]
)
def test_each_prediction_says_whether_it_is_stale(clock: Clock, age: int | None, stale: bool) -> None:
    other = Prediction("imagenet_2", (), None if age is None else 3, age)

    camera = Camera(1, at(clock, 1, FRESH, other), LIMITS)

    assert [prediction["stale"] for prediction in camera.status()["predictions"]] == [False, stale]


def test_silence_is_no_signal_since_the_last_frame(clock: Clock) -> None:
    camera = Camera(1, at(clock), LIMITS)
    for seq in range(2, 12):
        clock.now += 1
        camera.show(at(clock, seq))

    clock.now += 3
    still = states(camera)
    clock.now += 0.5
    first = states(camera)
    clock.now += 60
    later = states(camera)

    assert still == ("live", "2001-09-09T01:46:40Z")
    assert first == later == ("no-signal", "2001-09-09T01:46:50Z")


def test_a_camera_that_sends_every_ten_seconds_is_live(clock: Clock) -> None:
    camera = Camera(1, at(clock), LIMITS)
    for seq in range(2, 6):
        clock.now += 10
        camera.show(at(clock, seq))

    clock.now += 29
    still = camera.status()
    clock.now += 2
    then = camera.status()

    assert (still["state"], still["fps"]) == ("live", 0.1)
    assert (then["state"], then["fps"]) == ("no-signal", 0.0)


@pytest.mark.parametrize(
    ("interval", "patience"),
    [(0, 3), (0.04, 3), (0.5, 3), (1, 3), (2, 6), (10, 30), (30, 90), (60, 180), (600, 720), (3600, 3720)],
)
def test_a_camera_is_live_at_the_rate_that_its_producer_reports_from_the_first_frame_on(
    clock: Clock, interval: float, patience: float
) -> None:
    camera = Camera(1, at(clock), LIMITS, report=a_report(clock, "live", interval=interval))

    def state_after(seconds: float) -> str:
        while seconds:
            clock.now += (step := min(seconds, 10))
            seconds -= step
            camera.report = a_report(clock, "live", interval=interval)
        return camera.status()["state"]

    assert state_after(patience - 0.5) == "live"
    assert state_after(1) == "no-signal"


def test_a_camera_whose_frames_are_not_coming_has_no_signal_whatever_its_rate(clock: Clock) -> None:
    camera = Camera(1, at(clock), LIMITS, report=a_report(clock, "live", interval=10))
    for seq in range(2, 6):
        clock.now += 10
        camera.show(at(clock, seq))
    camera.report = a_report(clock, "no-signal", "closed port", interval=10)

    clock.now += 2.9
    first = camera.status()
    clock.now += 0.2
    then = camera.status()

    assert (first["state"], first["reason"]) == ("live", None)
    assert (then["state"], then["reason"]) == ("no-signal", "closed port")


def test_a_producer_that_is_gone_no_longer_says_how_slow_its_camera_is(clock: Clock) -> None:
    reports = (
        a_report(clock, "stopped", interval=600),
        a_report(clock, "live", age=60, interval=600),
        a_report(clock, "live", interval=600),
    )
    states = []

    for report in reports:
        camera = Camera(1, at(clock), LIMITS, report=report)
        clock.now += 4
        states.append(camera.status()["state"])

    assert states == ["no-signal", "no-signal", "live"]


def test_no_label_is_stale_before_there_could_be_a_newer_one_at_the_reported_rate(clock: Clock) -> None:
    camera = Camera(1, at(clock), LIMITS, report=a_report(clock, "live", interval=600))

    def show(age: int) -> str:
        camera.show(at(clock, 2, Prediction("imagenet_1", FRESH.results, 1, age)))
        return camera.status()["state"]

    assert [show(600_050), show(605_050)] == ["live", "stale"]


def test_the_label_of_a_slow_camera_is_not_stale_before_there_could_be_a_newer_one(clock: Clock) -> None:
    camera = Camera(1, at(clock), LIMITS)

    def show(age: int) -> str:
        clock.now += 10
        camera.show(at(clock, 2, Prediction("imagenet_1", FRESH.results, 1, age)))
        return camera.status()["state"]

    assert [show(10_050), show(10_050), show(20_050)] == ["live", "live", "stale"]


def test_an_outage_does_not_make_a_camera_slow(clock: Clock) -> None:
    camera = Camera(1, at(clock), LIMITS)
    for wait in (*[0.1] * 20, 600, *[0.1] * 3):
        clock.now += wait
        camera.show(at(clock))

    clock.now += 3.5

    assert camera.status()["state"] == "no-signal"


def test_a_frame_ends_no_signal_though_nobody_looked(clock: Clock) -> None:
    camera = Camera(1, at(clock), LIMITS)
    clock.now += 100

    camera.show(at(clock, 2))

    assert states(camera) == ("live", "2001-09-09T01:48:20Z")


def test_since_stays_while_the_state_does(clock: Clock) -> None:
    camera = Camera(1, at(clock), LIMITS)

    for seq in range(2, 100):
        clock.now += 1
        camera.show(at(clock, seq))

    assert states(camera) == ("live", "2001-09-09T01:46:40Z")


def test_a_model_goes_away_and_comes_back(clock: Clock) -> None:
    camera = Camera(1, at(clock, 1, FRESH), LIMITS)
    seen = []

    for seq, prediction in enumerate((FRESH, Prediction("imagenet_1"), Prediction("imagenet_1"), FRESH), 2):
        clock.now += 1
        camera.show(at(clock, seq, prediction))
        seen.append(states(camera))

    assert seen == [
        ("live", "2001-09-09T01:46:40Z"),
        ("model-away", "2001-09-09T01:46:42Z"),
        ("model-away", "2001-09-09T01:46:42Z"),
        ("live", "2001-09-09T01:46:44Z"),
    ]


@pytest.mark.parametrize("rate", [1, 10, 25, 60])
def test_the_rate_is_that_of_the_last_seconds(clock: Clock, rate: int) -> None:
    camera = Camera(1, at(clock), LIMITS)

    for seq in range(2, 20 * rate):
        clock.now += 1 / rate
        camera.show(at(clock, seq))

    assert camera.status()["fps"] == pytest.approx(rate, abs=0.1)


def test_the_rate_follows_a_change(clock: Clock) -> None:
    camera = Camera(1, at(clock), LIMITS)

    for step in [0.04] * 200 + [0.2] * 30:
        clock.now += step
        camera.show(at(clock))

    assert camera.status()["fps"] == 5.0


def test_the_rate_of_a_slow_camera_is_known_from_its_first_frame_on(clock: Clock) -> None:
    camera = Camera(1, at(clock), LIMITS, report=a_report(clock, "live", interval=10))
    seen = [camera.status()["fps"]]

    for step in (0.1, 5, 10, 10, 10):
        clock.now += step
        camera.show(at(clock))
        seen.append(camera.status()["fps"])

    assert seen == [0.1] * 6


def test_a_burst_of_frames_does_not_make_a_slow_camera_fast(clock: Clock) -> None:
    camera = Camera(1, at(clock), LIMITS, report=a_report(clock, "live", interval=20))
    for _ in range(20):
        clock.now += 0.04
        camera.show(at(clock))
    burst = camera.status()["fps"]

    clock.now += 6

    assert (burst, camera.status()["fps"]) == (25.0, 0.05)


def test_the_rate_is_0_when_nothing_came_for_long(clock: Clock) -> None:
    camera = Camera(1, at(clock), LIMITS)
    clock.now += 0.04
    camera.show(at(clock, 2))

    clock.now += 60

    assert camera.status()["fps"] == 0


def test_the_age_grows_with_time_and_is_never_negative(clock: Clock) -> None:
    camera = Camera(1, a_frame(captured=clock.time_ns() - 2 * SECOND), LIMITS)
    clock.now += 1
    old = camera.status()["age_ms"]
    camera.show(a_frame(2, captured=clock.time_ns() + 5 * SECOND))

    assert old == 3000
    assert camera.status()["age_ms"] == 0


def test_asking_for_the_status_hides_no_change_from_listeners(clock: Clock) -> None:
    camera, audience = Camera(1, at(clock), LIMITS), Audience()
    camera.subscribe(audience)
    clock.now += 10

    status = camera.status()["state"]
    changed = camera.check(None)

    assert (status, changed) == ("no-signal", True)
    assert audience.changes == [("door", "no-signal")]


def test_silence_while_kafka_does_not_answer_has_its_own_state_and_keeps_its_time(clock: Clock) -> None:
    camera = Camera(1, at(clock), LIMITS)
    seen = []

    for seconds, trouble in ((2, "Kafka is away"), (2, "Kafka is away"), (10, None), (1, "Kafka is away")):
        clock.now += seconds
        changed = camera.check(trouble)
        seen.append((changed, *states(camera)))

    assert seen == [
        (False, "live", "2001-09-09T01:46:40Z"),
        (True, "broker-away", "2001-09-09T01:46:40Z"),
        (True, "no-signal", "2001-09-09T01:46:40Z"),
        (True, "broker-away", "2001-09-09T01:46:40Z"),
    ]


def test_only_a_change_of_state_or_label_is_reported(clock: Clock) -> None:
    other = Prediction("imagenet_1", (Result("suit", 0.5),), 18, 41)
    surer = Prediction("imagenet_1", (Result("suit", 0.9),), 19, 41)
    camera = Camera(1, at(clock, 1, FRESH), LIMITS)

    changed = [camera.show(at(clock, 2, prediction)) for prediction in (FRESH, other, surer, FRESH)]

    assert changed == [False, True, False, True]


def test_listeners_get_each_frame_until_they_unsubscribe(clock: Clock) -> None:
    camera, first, second = Camera(1, at(clock), LIMITS), Audience(), Audience()

    camera.subscribe(first)
    camera.show(at(clock, 2))
    camera.subscribe(second)
    camera.show(at(clock, 3))
    camera.unsubscribe(first)
    camera.show(at(clock, 4))
    camera.close()

    assert (first.seqs, first.lost) == ([2, 3], [])
    assert (second.seqs, second.lost) == ([3, 4], ["door"])


# Reasons


def silent(clock: Clock, report: Report | None, **options: Any) -> CameraStatus:
    """Return the status of a camera whose frames no longer arrive."""
    camera = Camera(1, at(clock), LIMITS, report=report, **options)
    for seq in range(2, 5):
        clock.now += 0.1
        camera.show(at(clock, seq))
    clock.now += 10
    return camera.status()


def test_a_silent_camera_has_its_producers_reason(clock: Clock) -> None:
    status = silent(clock, a_report(clock, "no-signal", "wrong password"))

    assert (status["state"], status["reason"]) == ("no-signal", "wrong password")


def test_without_reports_a_silent_camera_has_no_reason(clock: Clock) -> None:
    status = silent(clock, None)

    assert (status["state"], status["reason"]) == ("no-signal", None)


def test_a_paused_camera_is_paused_once_its_frames_end(clock: Clock) -> None:
    assert silent(clock, a_report(clock, "paused"))["state"] == "paused"


def test_a_live_camera_has_no_reason_whatever_its_producer_says(clock: Clock) -> None:
    camera = Camera(1, at(clock), LIMITS, report=a_report(clock, "no-signal", "wrong password"))

    assert (camera.status()["state"], camera.status()["reason"]) == ("live", None)


def test_a_broker_that_is_away_is_the_reason(clock: Clock) -> None:
    camera = Camera(1, at(clock), LIMITS, report=a_report(clock, "no-signal", "wrong password"))
    clock.now += 10

    camera.check("Kafka is away")

    assert (camera.status()["state"], camera.status()["reason"]) == ("broker-away", "Kafka is away")


def test_a_missing_model_is_explained_by_the_consumer(clock: Clock) -> None:
    consumers = Consumers()
    consumers.note(a_report(clock, "not-ready", "model imagenet_1: refused", service="consumer", camera=""))

    camera = Camera(1, at(clock, 1, Prediction("imagenet_1")), LIMITS, consumers=consumers)

    assert camera.status()["state"] == "model-away"
    assert camera.status()["reason"] == "model imagenet_1: refused"


def test_a_producer_that_says_live_long_after_the_last_frame_is_believed(clock: Clock) -> None:
    consumers = Consumers()
    consumers.note(a_report(clock, "ready", service="consumer", camera=""))
    camera = Camera(1, at(clock), LIMITS, report=a_report(clock, "live"), consumers=consumers)
    clock.now += 4
    before = camera.status()["reason"]
    clock.now += 16
    camera.report = a_report(clock, "live")
    after = camera.status()["reason"]

    assert before is None
    assert after == "its producer sends frames, but none arrive"
