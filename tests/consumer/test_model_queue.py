"""The newest frame of each camera waits; the camera served longest ago goes first."""

from collections import Counter

import pytest

from consumer.model_queue import ModelQueue
from pipeline.wire.frame import Frame
from tests.clock import Clock
from tests.consumer.fakes import a_frame


def names(frames: list[Frame]) -> list[str]:
    """Return the frames as `door 1`."""
    return [f"{frame.camera} {frame.seq}" for frame in frames]


def test_a_newer_frame_replaces_one_that_waits() -> None:
    replaced: list[Frame] = []
    queue = ModelQueue(replaced.append)

    for seq in (1, 2, 3):
        queue.put(a_frame(seq))

    assert names(queue.take(8, 0)) == ["door 3"]
    assert names(replaced) == ["door 1", "door 2"]
    assert queue.take(8, 0) == []


def test_how_long_each_frame_has_waited_is_reported_when_it_is_taken() -> None:
    clock, waits = Clock(), list[float]()
    queue = ModelQueue(lambda _: None, waited=waits.append, clock=clock.monotonic)

    queue.put(a_frame(1))
    clock.now += 1
    queue.put(a_frame(2))
    queue.put(a_frame(1, camera="yard"))
    clock.now += 0.5
    queue.put(a_frame(1, camera="hall"))
    assert names(queue.take(8, 0)) == ["door 2", "yard 1", "hall 1"]
    assert queue.take(8, 0) == []

    assert waits == [0.5, 0.5, 0.0]


def test_all_that_wait_are_taken_at_once_up_to_the_most() -> None:
    queue = ModelQueue(lambda _: None)
    for camera in "abcde":
        queue.put(a_frame(1, camera=camera))

    assert names(queue.take(3, 0)) == ["a 1", "b 1", "c 1"]
    assert names(queue.take(3, 0)) == ["d 1", "e 1"]


def test_the_camera_served_longest_ago_goes_first_however_long_others_wait() -> None:
    queue = ModelQueue(lambda _: None)
    for camera in ("slow", "fast"):
        queue.put(a_frame(1, camera=camera))
        queue.take(1, 0)

    queue.put(a_frame(2, camera="fast"))
    queue.put(a_frame(2, camera="slow"))
    queue.put(a_frame(1, camera="new"))

    assert [names(queue.take(1, 0)) for _ in range(3)] == [["new 1"], ["slow 2"], ["fast 2"]]


def test_one_fast_camera_and_seven_slow_ones_are_served_equally() -> None:
    queue = ModelQueue(lambda _: None)
    served: Counter[str] = Counter()

    for turn in range(800):
        for _ in range(10):
            queue.put(a_frame(turn, camera="fast"))
        if turn % 4 == 0:
            for number in range(7):
                queue.put(a_frame(turn, camera=f"slow {number}"))
        served.update(frame.camera for frame in queue.take(1, 0))

    assert set(served.values()) == {100}
    assert len(served) == 8


def test_a_camera_of_three_times_the_weight_is_served_three_times_as_often() -> None:
    queue = ModelQueue(lambda _: None, {"door": 3.0, "hall": 1.0, "yard": 0.5}.__getitem__)
    served: Counter[str] = Counter()

    for turn in range(900):
        for camera in ("yard", "door", "hall"):
            queue.put(a_frame(turn, camera=camera))
        served.update(frame.camera for frame in queue.take(1, 0))

    assert [served[camera] for camera in ("door", "hall", "yard")] == pytest.approx([600, 200, 100], abs=3)


def test_a_camera_that_was_away_has_no_turns_saved_up() -> None:
    queue = ModelQueue(lambda _: None)
    for camera in ("door", "yard"):
        queue.put(a_frame(1, camera=camera))
    queue.take(2, 0)
    for seq in range(2, 50):
        queue.put(a_frame(seq, camera="door"))
        queue.take(1, 0)

    served = []
    for seq in range(50, 54):
        for camera in ("door", "yard"):
            queue.put(a_frame(seq, camera=camera))
        served += [frame.camera for frame in queue.take(1, 0)]

    assert served == ["yard", "door", "yard", "door"]


def test_a_forgotten_camera_has_no_frame_and_no_turn() -> None:
    queue = ModelQueue(lambda _: None)
    for camera in ("door", "yard"):
        queue.put(a_frame(1, camera=camera))
        queue.take(1, 0)
    queue.put(a_frame(2, camera="door"))

    queue.forget("door")
    waiting = names(queue.take(8, 0))
    queue.put(a_frame(2, camera="yard"))
    queue.put(a_frame(3, camera="door"))

    assert waiting == []
    assert names(queue.take(1, 0)) == ["door 3"], "it is new, so it goes first"


def test_the_frames_of_a_forgotten_camera_that_are_under_way_are_late() -> None:
    queue = ModelQueue(lambda _: None)
    for camera in ("door", "yard"):
        queue.put(a_frame(1, camera=camera))
    taken = queue.take(8, 0)

    queue.forget("door")
    queue.put(a_frame(2, camera="door"))
    (again,) = queue.take(8, 0)

    assert [queue.is_late(frame) for frame in (*taken, again)] == [True, False, False]
    assert queue.finish(taken) == {"door"}
    assert queue.finish([again]) == set()
    assert not queue.is_late(taken[0])


def test_nothing_is_kept_of_frames_that_are_finished() -> None:
    queue = ModelQueue(lambda _: None)
    for seq in range(50):
        queue.put(a_frame(seq))
        taken = queue.take(8, 0)
        if seq % 2:
            queue.forget("door")
        queue.finish(taken)

    assert not queue._taken
    assert not queue._late


def test_names_that_come_and_go_do_not_pile_up() -> None:
    queue = ModelQueue(lambda _: None)

    for number in range(3000):
        queue.put(a_frame(1, camera=f"camera {number}"))
        queue.finish(queue.take(1, 0))

    assert len(queue._turns) <= 1024
