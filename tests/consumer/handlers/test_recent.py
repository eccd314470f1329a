"""A value that is remembered about a camera."""

from consumer.handlers.recent import Recent
from tests.clock import SECOND
from tests.consumer.fakes import a_frame


def test_each_camera_has_its_own_value() -> None:
    recent = Recent[str](1)
    door, yard = a_frame(camera="door"), a_frame(camera="yard")

    recent.put(door, "in")
    recent.put(yard, "out")

    assert (recent.get(door), recent.get(yard)) == ("in", "out")
    assert recent.get(a_frame(camera="attic")) is None


def test_a_value_is_forgotten_after_its_time() -> None:
    recent = Recent[str](2)
    recent.put(a_frame(captured=10 * SECOND), "old")

    assert recent.get(a_frame(captured=12 * SECOND)) == "old"
    assert recent.get(a_frame(captured=12 * SECOND + 1)) is None


def test_an_older_frame_does_not_replace_a_newer_ones_value() -> None:
    recent = Recent[str](2)
    recent.put(a_frame(captured=10 * SECOND), "new")

    recent.put(a_frame(captured=9 * SECOND), "old")

    assert recent.get(a_frame(captured=11 * SECOND)) == "new"


def test_after_a_clock_was_set_back_values_are_held_again() -> None:
    recent = Recent[str](2)
    recent.put(a_frame(captured=1000 * SECOND), "before")
    back = a_frame(captured=10 * SECOND)

    assert recent.get(back) is None
    recent.put(back, "after")

    assert recent.get(back) == "after"


def test_the_cameras_seen_longest_ago_are_forgotten() -> None:
    recent = Recent[int](1)
    frame = a_frame()

    for number in range(3000):
        recent.put(frame._replace(camera=f"camera {number}"), number)
        recent.put(frame._replace(camera="kept"), -1)

    held = [number for number in range(3000) if recent.get(frame._replace(camera=f"camera {number}"))]
    assert held == list(range(3000 - len(held), 3000))
    assert 256 <= len(held) <= 1024
    assert recent.get(frame._replace(camera="kept")) == -1


def test_a_forgotten_camera_has_no_value() -> None:
    recent = Recent[str](1)
    recent.put(a_frame(camera="door"), "in")
    recent.put(a_frame(camera="yard"), "out")

    recent.forget("door")
    recent.forget("a camera that never was")

    assert recent.get(a_frame(camera="door")) is None
    assert recent.get(a_frame(camera="yard")) == "out"
