"""The room for the newest frames of all cameras."""

import pytest

from pipeline.flow.room import Room
from tests.clock import START

MINUTE = 60.0


class Kit:
    """Room for 100 bytes of ten cameras, and the cameras that had to make room."""

    def __init__(self) -> None:
        self.left: list[str] = []
        self.kept: set[str] = set()
        self.room = Room(100, 10, self._leave, lambda camera, _: camera not in self.kept)
        self.now = START

    def take(self, camera: str, size: int) -> bool:
        self.now += 1
        return self.room.take(camera, size, self.now)

    def _leave(self, camera: str) -> None:
        self.left.append(camera)
        self.room.leave(camera)


@pytest.fixture
def kit() -> Kit:
    return Kit()


def test_large_frames_have_room_until_it_is_taken(kit: Kit) -> None:
    assert [kit.take(camera, 40) for camera in "abc"] == [True, True, False]
    assert kit.left == []


def test_a_newer_frame_takes_the_room_of_the_one_before(kit: Kit) -> None:
    assert all(kit.take("a", 90) for _ in range(5))
    assert not kit.take("b", 46)
    assert kit.take("a", 20)
    assert kit.take("b", 80)
    assert kit.left == []


def test_a_frame_without_room_leaves_the_one_before(kit: Kit) -> None:
    kit.take("a", 60)
    kit.take("b", 40)

    assert not kit.take("b", 41)
    assert not kit.take("c", 31)
    assert kit.take("b", 40)
    assert kit.left == []


def test_a_small_frame_always_has_room(kit: Kit) -> None:
    kit.take("a", 100)

    assert all(kit.take(camera, 10) for camera in "bcdefghij")
    assert kit.left == []


def test_a_camera_that_is_forgotten_makes_room(kit: Kit) -> None:
    kit.take("a", 100)

    kit.room.leave("a")
    kit.room.leave("nobody")

    assert kit.take("b", 100)


def test_the_largest_frame_makes_room_for_one_of_half_its_size(kit: Kit) -> None:
    kit.take("a", 46)
    kit.take("b", 50)

    assert not kit.take("c", 26)
    assert kit.take("c", 25)
    assert kit.left == ["b"]
    assert not kit.take("b", 50)
    assert kit.left == ["b"]


def test_no_camera_makes_room_in_vain(kit: Kit) -> None:
    kit.take("a", 40)
    kit.take("b", 60)
    for camera in "cdefgh":
        kit.take(camera, 10)

    assert not kit.take("i", 20)
    assert kit.left == []


def test_cameras_that_have_been_silent_for_a_minute_make_room_first(kit: Kit) -> None:
    kit.take("a", 30)
    kit.take("b", 30)
    kit.take("small", 10)
    kit.now += 10
    kit.take("c", 30)
    kit.now += MINUTE - 10
    kit.take("a", 30)

    assert kit.take("d", 30)
    assert kit.left == ["b"]
    assert not kit.take("e", 30)
    kit.now += MINUTE
    assert kit.take("e", 60)
    assert kit.left == ["b", "c", "a"]


def test_room_is_looked_for_ten_times_a_second_at_most(kit: Kit) -> None:
    kit.take("a", 100)
    assert not kit.room.take("b", 60, kit.now + 1)

    assert not kit.room.take("c", 20, kit.now + 1.05)
    assert kit.room.take("c", 20, kit.now + 1.1)
    assert kit.left == ["a"]


def test_a_camera_that_may_not_leave_keeps_its_room(kit: Kit) -> None:
    kit.kept = {"a"}
    assert kit.take("a", 90)
    assert not kit.take("b", 40)
    kit.now += MINUTE
    assert not kit.take("b", 40)
    assert kit.take("a", 90)

    kit.kept = set()

    assert kit.take("b", 40)
    assert kit.left == ["a"]
