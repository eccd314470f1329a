"""One camera as the video server knows it."""

import asyncio

import pytest

from pipeline.frame import Frame
from pipeline.predictions import Prediction, Result
from tests.clock import SECOND, Clock
from tests.video.conftest import LIMITS
from tests.video.fakes import a_frame, settle
from video.channel import Channel

FRESH = Prediction("imagenet_1", (Result("tench", 0.93),), 17, 41)


def at(clock: Clock, seq: int = 1, *predictions: Prediction) -> tuple[Frame, bytes]:
    """Return what puts up a frame captured now."""
    return a_frame(seq, captured=clock.time_ns(), predictions=predictions), b"part"


def states(channel: Channel) -> tuple[str, str]:
    """Return the state and since when."""
    status = channel.status()
    return status["state"], status["since"]


def test_the_status_tells_what_the_api_promises(clock: Clock) -> None:
    channel = Channel(*at(clock, 19, FRESH), LIMITS)
    clock.now += 0.041

    assert channel.status() == {
        "name": "door",
        "state": "live",
        "since": "1970-01-01T00:16:40Z",
        "fps": 0.0,
        "age_ms": 41,
        "seq": 19,
        "width": 64,
        "height": 48,
        "predictions": [
            {"model": "imagenet_1", "results": [{"label": "tench", "score": 0.93}], "seq": 17, "age_ms": 41}
        ],
    }


def test_a_camera_without_a_model_is_live(clock: Clock) -> None:
    channel = Channel(*at(clock), LIMITS)

    assert states(channel) == ("live", "1970-01-01T00:16:40Z")


@pytest.mark.parametrize(
    ("age", "state"), [(0, "live"), (5000, "live"), (5001, "stale"), (60_000, "stale"), (None, "stale")]
)
def test_an_old_answer_or_none_makes_the_label_stale(clock: Clock, age: int | None, state: str) -> None:
    old = Prediction("imagenet_2", (), None if age is None else 3, age)

    channel = Channel(*at(clock, 1, FRESH, old), LIMITS)

    assert channel.status()["state"] == state


def test_silence_is_no_signal_since_the_last_frame(clock: Clock) -> None:
    channel = Channel(*at(clock), LIMITS)
    clock.now += 10
    channel.show(*at(clock, 2))

    clock.now += 3
    still = states(channel)
    clock.now += 0.5
    first = states(channel)
    clock.now += 60
    later = states(channel)

    assert still == ("live", "1970-01-01T00:16:50Z")
    assert first == later == ("no-signal", "1970-01-01T00:16:50Z")


def test_a_frame_ends_no_signal_though_nobody_looked(clock: Clock) -> None:
    channel = Channel(*at(clock), LIMITS)
    clock.now += 100

    channel.show(*at(clock, 2))

    assert states(channel) == ("live", "1970-01-01T00:18:20Z")


def test_since_stays_while_the_state_does(clock: Clock) -> None:
    channel = Channel(*at(clock), LIMITS)

    for seq in range(2, 100):
        clock.now += 1
        channel.show(*at(clock, seq))

    assert states(channel) == ("live", "1970-01-01T00:16:40Z")


def test_a_label_turns_stale_and_live_again(clock: Clock) -> None:
    channel = Channel(*at(clock, 1, FRESH), LIMITS)
    seen = []

    for seq, prediction in enumerate((FRESH, Prediction("imagenet_1"), Prediction("imagenet_1"), FRESH), 2):
        clock.now += 1
        channel.show(*at(clock, seq, prediction))
        seen.append(states(channel))

    assert seen == [
        ("live", "1970-01-01T00:16:40Z"),
        ("stale", "1970-01-01T00:16:42Z"),
        ("stale", "1970-01-01T00:16:42Z"),
        ("live", "1970-01-01T00:16:44Z"),
    ]


@pytest.mark.parametrize("rate", [1, 10, 25, 60])
def test_the_rate_is_that_of_the_last_seconds(clock: Clock, rate: int) -> None:
    channel = Channel(*at(clock), LIMITS)

    for seq in range(2, 20 * rate):
        clock.now += 1 / rate
        channel.show(*at(clock, seq))

    assert channel.status()["fps"] == pytest.approx(rate, abs=0.1)


def test_the_rate_follows_a_change(clock: Clock) -> None:
    channel = Channel(*at(clock), LIMITS)

    for step in [0.04] * 200 + [0.2] * 30:
        clock.now += step
        channel.show(*at(clock))

    assert channel.status()["fps"] == 5.0


def test_the_rate_is_0_when_nothing_came_for_long(clock: Clock) -> None:
    channel = Channel(*at(clock), LIMITS)
    clock.now += 0.04
    channel.show(*at(clock, 2))

    clock.now += 60

    assert channel.status()["fps"] == 0


def test_the_age_grows_with_time_and_is_never_negative(clock: Clock) -> None:
    channel = Channel(a_frame(captured=clock.time_ns() - 2 * SECOND), b"", LIMITS)
    clock.now += 1
    old = channel.status()["age_ms"]
    channel.show(a_frame(2, captured=clock.time_ns() + 5 * SECOND), b"")

    assert old == 3000
    assert channel.status()["age_ms"] == 0


def test_who_has_seen_nothing_gets_the_newest_at_once() -> None:
    async def scenario() -> tuple[int, int]:
        channel = Channel(a_frame(1), b"1", LIMITS)
        channel.show(a_frame(2), b"2")
        return await channel.next(0), channel.frame.seq

    number, seq = asyncio.run(scenario())

    assert number
    assert seq == 2


def test_all_who_wait_are_woken_once_by_the_next_frame() -> None:
    async def scenario() -> list[int]:
        channel = Channel(a_frame(1), b"1", LIMITS)
        seen = await channel.next(0)
        waiting = [asyncio.create_task(channel.next(seen)) for _ in range(3)]
        await settle()
        assert not any(task.done() for task in waiting)
        channel.show(a_frame(2), b"2")
        numbers = await asyncio.gather(*waiting)
        again = asyncio.create_task(channel.next(numbers[0]))
        await settle()
        assert not again.done()
        again.cancel()
        return [number - seen for number in numbers]

    assert asyncio.run(scenario()) == [1, 1, 1]


def test_the_end_wakes_all_who_wait_or_come_later() -> None:
    async def scenario() -> list[int]:
        channel = Channel(a_frame(1), b"1", LIMITS)
        waiting = asyncio.create_task(channel.next(await channel.next(0)))
        await settle()
        channel.close()
        return [await waiting, await channel.next(0)]

    assert asyncio.run(scenario()) == [0, 0]
