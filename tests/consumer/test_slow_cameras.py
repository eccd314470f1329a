"""Cameras whose frames take long to label."""

from collections.abc import Iterable

import pytest

from consumer.slow_cameras import SlowCameras

QUICK, SLOW = 0.003, 0.5  # s for a frame


class Thread:
    """A thread that labels frames: how long those of each camera take, and have taken."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.slow = SlowCameras()
        self.now = 1_000.0
        self.seconds = seconds
        self.time_of = dict.fromkeys(seconds, 0.0)

    def run(self, seconds: float, cameras: Iterable[str]) -> None:
        """Let cameras take turns: each has a frame waiting whenever it is asked for one."""
        until, cameras = self.now + seconds, list(cameras)
        while self.now < until:
            for camera in cameras:
                if self.slow.may(camera, self.now):
                    self.now += self.seconds[camera]
                    self.time_of[camera] += self.seconds[camera]
                    self.slow.took(camera, self.seconds[camera], self.now)
            self.now += 0.001


def test_slow_cameras_share_a_quarter_of_the_time_while_there_are_quick_ones() -> None:
    slow = [f"slow{number}" for number in range(9)]
    thread = Thread({"quick": QUICK, **dict.fromkeys(slow, SLOW)})
    thread.run(5, ["quick", *slow])  # at first, nobody knows
    begun = sum(thread.time_of[camera] for camera in slow)

    thread.run(100, ["quick", *slow])

    assert sum(thread.time_of[camera] for camera in slow) - begun == pytest.approx(25, abs=2)


def test_a_slow_camera_alone_has_all_the_time() -> None:
    thread = Thread({"slow": SLOW, "gone": QUICK})
    thread.run(1, ["slow", "gone"])
    thread.run(10, ["slow"])
    before = thread.time_of["slow"]

    thread.run(10, ["slow"])

    assert thread.time_of["slow"] - before > 9


@pytest.mark.exceeds("consumer.slow_cameras.LONGEST")
@pytest.mark.parametrize(("seconds", "may"), [(0.1, True), (0.101, False)])
def test_a_frame_may_take_a_tenth_of_a_second(seconds: float, may: bool) -> None:
    slow = SlowCameras()
    slow.took("quick", QUICK, 0)

    slow.took("door", seconds, 1)

    assert slow.may("door", 1) == may
    assert slow.may("quick", 1)
    assert slow.may("door", 1 + 3 * seconds)


def test_a_camera_is_slow_for_a_minute_and_a_new_one_until_its_first_frame() -> None:
    slow = SlowCameras()
    for camera in "quick", "slow", "slower":
        slow.took(camera, QUICK, 8)
    slow.took("slow", SLOW, 10)
    slow.took("slow", QUICK, 12)
    slow.took("slower", SLOW, 12)

    assert not slow.may("slow", 12)
    assert not slow.may("new", 12)
    slow.took("new", QUICK, 14)
    slow.took("quick", QUICK, 70)
    slow.took("slower", SLOW, 71)

    assert slow.may("slow", 71)
    assert slow.may("new", 71)
    slow.forget("new")
    assert not slow.may("new", 71)


def test_configured_cameras_come_before_invented_names() -> None:
    slow = SlowCameras()
    slow.took("quick", QUICK, 8)
    slow.took("door", SLOW, 10)

    refused = slow.may("door", 10, is_configured=True)
    invented = [slow.may(f"invented{number}", 11.6) for number in range(9)]
    door = slow.may("door", 11.7, is_configured=True)
    slow.took("door", SLOW, 12.2)

    assert not refused
    assert not any(invented)
    assert door
    assert not slow.may("invented", 13)
    assert slow.may("invented", 17.3), "the configured one has not come again"
