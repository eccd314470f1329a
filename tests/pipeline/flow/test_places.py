import itertools
from collections.abc import Callable, Iterator

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


def test_a_configured_camera_takes_the_place_of_the_newest_other_one(kit: Kit) -> None:
    kit.frame("front", 0)
    kit.frame("back", 1)
    kit.places.configure(["gate", "yard", "door"])

    taken = [kit.frame(camera, 2) for camera in ("gate", "yard", "door")]

    assert taken == [True, True, False]
    assert kit.left == ["back", "front"]
    assert ["door" in kit.places, "back" in kit.places] == [True, False]


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


def test_only_new_and_silent_cameras_may_leave(kit: Kit) -> None:
    for second in range(61):
        kit.frame("front", second)
    kit.frame("back", 60)
    kit.places.configure(["gate"])

    def may_leave(now: float) -> list[str]:
        return [camera for camera in ("front", "back", "gate") if kit.places.may_leave(camera, now)]

    assert may_leave(60) == ["back"]
    assert may_leave(120) == ["front", "back"]
    kit.places.configure(["front", "back"])
    assert may_leave(120) == []


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


def test_a_slow_camera_does_not_make_room_until_three_of_its_gaps_have_passed(kit: Kit) -> None:
    kit.frame("hourly", 0)
    kit.frame("hourly", 3600)
    kit.frame("front", 3600)

    too_early = kit.frame("gate", 3600 + 59)
    from_the_other = kit.frame("gate", 3600 + MINUTE)
    kit.places.expire(3600 + TTL - 1)

    assert (too_early, from_the_other) == (False, True)
    assert kit.left == ["front"]


class Flood:
    """Ten places, cameras that send at a rate, and frames of invented names among theirs."""

    def __init__(self) -> None:
        self.left: list[str] = []
        self.now = 0.0
        self.places = Places(10, 1e6, self.left.append)
        self.shown: set[str] = set()  # since the last call of `run`

    def frame(self, camera: str) -> None:
        if self.places.hear(camera, self.now) or self.places.take(camera, self.now):
            self.shown.add(camera)

    def run(self, seconds: float, cameras: dict[str, float], names: Iterator[str], rate: int) -> None:
        """Pass some time; `cameras` are the gaps between the frames of each, in s."""
        self.shown = set()
        until, due = self.now + seconds, dict.fromkeys(cameras, self.now)
        while self.now < until:
            self.now += 1 / rate
            self.frame(next(names))
            for camera, gap in cameras.items():
                if self.now >= due[camera]:
                    due[camera] += gap
                    self.frame(camera)


def invented() -> Iterator[str]:
    return map(str, itertools.count())


FLOODS: dict[str, Callable[[], Iterator[str]]] = {
    "each name once": invented,
    "names that repeat": lambda: itertools.cycle(map(str, range(200))),
    "each name a few times": lambda: (name for name in invented() for _ in range(5)),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_keeps_no_camera_out_and_takes_no_place_of_one_that_was_there(flood: str) -> None:
    kit, names = Flood(), FLOODS[flood]()
    before = {"fast": 0.04, "slow": 10.0, "each minute": 60.0}
    kit.run(130, before, itertools.repeat("fast"), 10)

    kit.run(20, {**before, "new": 0.04}, names, 1000)
    assert "new" in kit.shown
    kit.run(130, {**before, "new": 0.04, "later": 0.1}, names, 1000)

    assert kit.shown >= {*before, "new", "later"}
    assert not {*before, "new"} & set(kit.left)
    kit.run(20, {**before, "new": 0.04, "last": 0.04}, names, 1000)
    assert kit.shown >= {*before, "new", "last"}


def test_a_flood_takes_no_place_that_has_been_held_for_a_minute_but_the_last_quarter() -> None:
    kit = Flood()
    cameras = {f"camera {number}": 1.0 for number in range(10)}
    kit.run(61, cameras, itertools.repeat("camera 0"), 10)

    kit.run(60, cameras, itertools.cycle(f"fast {number}" for number in range(20)), 200)

    assert set(kit.left) >= {"camera 8", "camera 9"}
    assert not {f"camera {number}" for number in range(8)} & set(kit.left)


def test_a_flood_takes_younger_places_of_cameras_that_send_less() -> None:
    kit = Flood()
    cameras = {f"camera {number}": 1.0 for number in range(10)}
    kit.run(50, cameras, itertools.repeat("camera 0"), 10)

    kit.run(9, cameras, itertools.cycle(f"fast {number}" for number in range(20)), 200)

    assert set(kit.left) >= {f"camera {number}" for number in range(5, 10)}
    assert not {f"camera {number}" for number in range(5)} & set(kit.left)


def test_in_a_flood_a_place_changes_hands_ten_times_a_second_at_most() -> None:
    kit = Flood()

    kit.run(20, {}, (name for name in invented() for _ in range(3)), 5000)

    assert len(kit.left) <= 200


@pytest.mark.exceeds("pipeline.flow.places._MOST_WAITING")
def test_in_a_flood_only_so_many_names_are_remembered() -> None:
    kit = Flood()

    kit.run(4, {}, invented(), 20_000)

    assert len(kit.places._waiting) == 8192
    assert kit.left == []


def test_after_a_flood_a_new_camera_is_shown_with_its_first_frame() -> None:
    kit = Flood()
    kit.run(10, {}, invented(), 1000)
    kit.now += MINUTE

    kit.frame("new")

    assert "new" in kit.shown


def test_places_are_kept_free_for_configured_cameras(kit: Kit) -> None:
    kit.places.most = 4
    kit.places.configure(["front", "back"])

    taken = [name for name in ("a", "b", "c") if kit.frame(name, 0)]

    assert taken == ["a", "b"]
    assert kit.frame("front", 0)
    assert kit.frame("back", 0)
    assert kit.left == []


def test_cameras_that_are_configured_later_take_the_newest_places(kit: Kit) -> None:
    kit.places.most = 4
    for name in ("a", "b", "c", "d"):
        assert kit.frame(name, 0)

    kit.places.configure(["front", "back"])
    assert kit.frame("front", 1)
    kit.places.expire(1)

    assert kit.left == ["d", "c"]
    assert kit.frame("back", 1)
    assert not kit.frame("e", 2)
