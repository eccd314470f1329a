import pytest

from pipeline.flow.places import Places

MINUTE = 60.0
TTL = 600.0


class Kit:
    """Two places, and the cameras that lost theirs."""

    def __init__(self) -> None:
        self.left: list[str] = []
        self.places = Places(2, TTL, self.left.append)

    def frame(self, camera: str, now: float) -> bool:
        return self.places.hear(camera, now) or self.places.take(camera, now)


@pytest.fixture
def kit() -> Kit:
    return Kit()


def test_a_camera_has_a_place_once_it_has_taken_one(kit: Kit) -> None:
    before = kit.places.hear("front", 0)
    taken = kit.places.take("front", 0)
    after = kit.places.hear("front", 1)

    assert [before, taken, after] == [False, True, True]


def test_a_new_camera_is_rejected_while_all_others_were_heard_within_a_minute(kit: Kit) -> None:
    kit.frame("front", 0)
    kit.frame("back", 10)

    taken = kit.frame("gate", MINUTE - 0.1)

    assert not taken
    assert kit.left == []


def test_a_new_camera_takes_the_place_of_the_one_that_has_been_silent_longest(kit: Kit) -> None:
    kit.frame("front", 0)
    kit.frame("back", 1)
    kit.frame("front", 2)

    taken = kit.frame("gate", 2 + MINUTE)

    assert taken
    assert kit.left == ["back"]
    assert not kit.places.hear("back", 2 + MINUTE)


def test_a_configured_camera_does_not_make_room(kit: Kit) -> None:
    kit.places.configure(["front"])
    kit.frame("front", 0)
    kit.frame("back", 100)

    too_early = kit.frame("gate", 100 + MINUTE - 0.1)
    taken = kit.frame("gate", 100 + MINUTE)

    assert (too_early, taken) == (False, True)
    assert kit.left == ["back"]


def test_a_camera_loses_its_place_after_its_ttl_of_silence(kit: Kit) -> None:
    kit.frame("front", 0)
    kit.frame("back", 1)

    kit.places.expire(TTL - 0.1)
    early = list(kit.left)
    kit.places.expire(TTL)

    assert early == []
    assert kit.left == ["front"]


def test_a_frame_begins_the_ttl_again(kit: Kit) -> None:
    kit.frame("front", 0)
    kit.frame("front", 5)

    kit.places.expire(TTL)

    assert kit.left == []


def test_several_cameras_may_expire_at_once(kit: Kit) -> None:
    kit.frame("front", 0)
    kit.frame("back", 1)

    kit.places.expire(10 * TTL)

    assert kit.left == ["front", "back"]


def test_a_configured_camera_does_not_expire_until_it_is_no_longer_configured(kit: Kit) -> None:
    kit.places.configure(["front"])
    kit.frame("front", 0)
    kit.frame("back", 1)

    kit.places.expire(2 * TTL)
    while_configured = list(kit.left)
    kit.places.configure([])
    kit.places.expire(2 * TTL)

    assert while_configured == ["back"]
    assert kit.left == ["back", "front"]


def test_a_camera_that_leaves_makes_room(kit: Kit) -> None:
    kit.frame("front", 0)
    kit.frame("back", 0)

    kit.places.leave("front")

    assert kit.left == ["front"]
    assert kit.frame("gate", 0)


def test_a_camera_without_a_place_cannot_leave(kit: Kit) -> None:
    kit.places.leave("front")

    assert kit.left == []
