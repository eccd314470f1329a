"""The room for the newest frames of all cameras."""

from pipeline.flow.room import Room


def test_large_frames_have_room_until_it_is_taken() -> None:
    room = Room(100, 10)

    assert [room.take(camera, 40) for camera in "abc"] == [True, True, False]


def test_a_newer_frame_takes_the_room_of_the_one_before() -> None:
    room = Room(100, 10)

    assert all(room.take("a", 90) for _ in range(5))
    assert not room.take("b", 11)
    assert room.take("a", 20)
    assert room.take("b", 80)


def test_a_frame_without_room_leaves_the_one_before() -> None:
    room = Room(100, 10)
    room.take("a", 60)
    room.take("b", 40)

    assert not room.take("b", 41)
    assert not room.take("c", 11)
    assert room.take("b", 40)


def test_a_small_frame_always_has_room() -> None:
    room = Room(100, 10)
    room.take("a", 100)

    assert all(room.take(camera, 10) for camera in "bcdefghij")


def test_a_camera_that_is_forgotten_makes_room() -> None:
    room = Room(100, 10)
    room.take("a", 100)

    room.leave("a")
    room.leave("nobody")

    assert room.take("b", 100)
