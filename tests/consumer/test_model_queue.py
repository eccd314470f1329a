"""The newest frame of each camera waits; the camera served longest ago goes first."""

from collections import Counter

from consumer.model_queue import Waiting
from pipeline.wire.frame import Frame
from tests.consumer.fakes import a_frame


def names(frames: list[Frame]) -> list[str]:
    """Return what the frames are, as `door 1`."""
    return [f"{frame.camera} {frame.seq}" for frame in frames]


def test_a_newer_frame_takes_the_place_of_one_that_waits() -> None:
    replaced: list[Frame] = []
    waiting = Waiting(replaced.append)

    for seq in (1, 2, 3):
        waiting.put(a_frame(seq))

    assert names(waiting.take(8, 0)) == ["door 3"]
    assert names(replaced) == ["door 1", "door 2"]
    assert waiting.take(8, 0) == []


def test_all_that_wait_are_taken_at_once_up_to_the_most() -> None:
    waiting = Waiting(lambda _: None)
    for camera in "abcde":
        waiting.put(a_frame(1, camera=camera))

    assert names(waiting.take(3, 0)) == ["a 1", "b 1", "c 1"]
    assert names(waiting.take(3, 0)) == ["d 1", "e 1"]


def test_who_was_served_longest_ago_is_served_first_whoever_waits_longer() -> None:
    waiting = Waiting(lambda _: None)
    for camera in ("slow", "fast"):
        waiting.put(a_frame(1, camera=camera))
        waiting.take(1, 0)

    waiting.put(a_frame(2, camera="fast"))
    waiting.put(a_frame(2, camera="slow"))
    waiting.put(a_frame(1, camera="new"))

    assert [names(waiting.take(1, 0)) for _ in range(3)] == [["new 1"], ["slow 2"], ["fast 2"]]


def test_one_fast_camera_and_seven_slow_ones_are_served_equally() -> None:
    waiting = Waiting(lambda _: None)
    served: Counter[str] = Counter()

    for turn in range(800):
        for _ in range(10):
            waiting.put(a_frame(turn, camera="fast"))
        if turn % 4 == 0:
            for number in range(7):
                waiting.put(a_frame(turn, camera=f"slow {number}"))
        served.update(frame.camera for frame in waiting.take(1, 0))

    assert set(served.values()) == {100}
    assert len(served) == 8
