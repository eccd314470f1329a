"""The captures of a producer: one camera's trouble is not another's."""

import itertools
import threading
from collections.abc import Callable, Iterator

import pytest

from pipeline.flow.ledger import Ledger
from pipeline.kafka.reporter import Condition
from pipeline.service.service import Service, WorkerGroup
from pipeline.service.values import Address
from pipeline.service.workers import Pulse
from producer.capture import How
from producer.sharing.captures import Captures, Place, Wish
from tests.parts import wait_for

DOOR, HALL = How("rtsp://door/", 0.04), How("rtsp://hall/", 0.04)


class FakeCapture:
    """Stands in for a capture; it ends when its group is released, unless it hangs."""

    def __init__(self, name: str, how: How, group: WorkerGroup, numbers: Iterator[int]) -> None:
        self.name, self.how, self.group, self.numbers = name, how, group, numbers
        self.is_muted = False
        self.state: Condition = ("live", None)
        self.ended = threading.Event()
        group.on_stop(self.ended.set)

    def mute(self) -> None:
        self.is_muted = True

    def unmute(self) -> None:
        self.is_muted = False

    def condition(self) -> Condition:
        return self.state

    def interval(self) -> float:
        return 0.04


class Kit:
    """Captures in a service, and what became of them."""

    def __init__(self) -> None:
        self.service = Service("test", Address("127.0.0.1", 0), Ledger())
        self.made: list[FakeCapture] = []
        self.in_making: Callable[[str], None] = lambda _: None
        self.events: list[tuple[str, str, bool]] = []
        self.given: dict[str, float] = {}
        self.alone: dict[str, float] = {}
        self.give_up: dict[str, Callable[[], None]] = {}
        self.captures = Captures(
            self._make,
            self._group,
            lambda place: self.events.append(("added", place.name, False)),
            self._removed,
            alone_since=self.alone.get,
            given_away=self.given.get,
        )

    def follow(self, **wishes: Wish) -> bool:
        """Follow; return whether everything else has gone."""
        self.captures.follow(wishes)
        return not self.captures._leaving

    def there(self, *expected: tuple[str, How]) -> None:
        """Wait until just these captures are there, and not muted."""
        wait_for(lambda: sorted(self._there()) == sorted(expected), 20, f"{expected}")

    def place(self, name: str) -> Place:
        return self.captures._places[name]

    def last(self, name: str) -> FakeCapture:
        return next(each for each in reversed(self.made) if each.name == name)

    def _there(self) -> list[tuple[str, How]]:
        return [(each.name, each.how) for each in self.made if not each.ended.is_set() and not each.is_muted]

    def _make(self, name: str, how: How, group: WorkerGroup, numbers: Iterator[int]) -> FakeCapture:
        self.in_making(name)
        capture = FakeCapture(name, how, group, numbers)
        self.made.append(capture)
        return capture

    def _group(self, name: str, give_up: Callable[[], None]) -> WorkerGroup:
        self.give_up[name] = give_up
        return self.service.group(name, give_up)

    def _removed(self, place: Place, has_moved: bool) -> None:
        self.events.append(("removed", place.name, has_moved))


@pytest.fixture
def kit() -> Iterator[Kit]:
    kit = Kit()
    yield kit
    kit.service._health._server.server_close()


def test_cameras_are_captured_as_they_say(kit: Kit) -> None:
    kit.follow(door=DOOR, hall=HALL)
    kit.there(("door", DOOR), ("hall", HALL))

    kit.follow(door=DOOR)

    kit.there(("door", DOOR))
    assert kit.events == [("added", "door", False), ("added", "hall", False), ("removed", "hall", False)]


def test_a_change_concerns_one_camera_only(kit: Kit) -> None:
    kit.follow(door=DOOR, hall=HALL)
    kit.there(("door", DOOR), ("hall", HALL))
    turned = How(DOOR.link, 0.04, rotate=90)

    kit.follow(door=turned, hall=HALL)

    kit.there(("door", turned), ("hall", HALL))
    assert [each.name for each in kit.made].count("hall") == 1


def test_the_same_wish_again_changes_nothing(kit: Kit) -> None:
    for _ in range(20):
        kit.follow(door=How("rtsp://door/", 0.04))
        kit.there(("door", DOOR))

    assert len(kit.made) == 1


def test_what_is_not_captured_says_why(kit: Kit) -> None:
    kit.follow(door=("paused", None), hall=("no-signal", "its link does not decrypt"), yard=DOOR)
    kit.there(("yard", DOOR))

    assert kit.place("door").condition() == ("paused", None)
    assert kit.place("hall").condition() == ("no-signal", "its link does not decrypt")
    assert kit.captures.lines() == ["camera door: paused", "camera hall: its link does not decrypt"]
    assert kit.place("door").interval() == 0


def test_a_paused_camera_is_released(kit: Kit) -> None:
    kit.follow(door=DOOR)
    kit.there(("door", DOOR))
    kit.follow(door=("paused", None))

    kit.there()
    wait_for(kit.last("door").ended.is_set, 20, "the end of the capture")


def test_a_camera_that_hangs_holds_up_no_other(kit: Kit) -> None:
    free = threading.Event()
    kit.in_making = lambda name: (free.wait(60), None)[1] if name == "door" else None

    for wishes in ({"door": DOOR}, {"door": HALL}, {}):
        kit.follow(hall=HALL, **wishes)
    kit.there(("hall", HALL))

    free.set()
    kit.there(("hall", HALL))
    wait_for(lambda: kit.follow(hall=HALL), 20, "the camera that hung to go")


def test_releasing_a_camera_that_hangs_holds_up_no_other(kit: Kit) -> None:
    free = threading.Event()
    kit.follow(door=DOOR)
    kit.there(("door", DOOR))
    kit.last("door").group.on_stop(lambda: (free.wait(60), None)[1])

    kit.follow(hall=HALL)

    kit.there(("hall", HALL))
    assert not kit.last("door").ended.is_set()
    free.set()


def test_numbers_go_on_when_a_camera_comes_back(kit: Kit) -> None:
    kit.follow(door=DOOR)
    kit.there(("door", DOOR))
    assert list(itertools.islice(kit.last("door").numbers, 5)) == [0, 1, 2, 3, 4]

    kit.follow()
    kit.follow(door=HALL)
    kit.there(("door", HALL))

    assert next(kit.last("door").numbers) == 5


def test_numbers_of_a_removed_camera_do_not_come_again(kit: Kit) -> None:
    kit.follow(door=DOOR)
    kit.there(("door", DOOR))
    for _ in range(7):
        next(kit.last("door").numbers)
    assert not kit.captures.forget("door")

    kit.follow()
    wait_for(lambda: kit.follow() and kit.captures.forget("door"), 20, "the end of the capture")
    kit.follow(door=DOOR)
    kit.there(("door", DOOR))

    assert next(kit.last("door").numbers) >= 7


def test_nothing_is_published_until_the_share_is_known_again(kit: Kit) -> None:
    kit.follow(door=DOOR, hall=HALL)
    kit.there(("door", DOOR), ("hall", HALL))

    kit.captures.mute()
    assert all(each.is_muted for each in kit.made)
    kit.follow(door=DOOR)

    kit.there(("door", DOOR))
    assert len(kit.made) == 2, "what is still wanted was not opened again"


def test_a_camera_whose_capture_fails_too_often_ends_nothing_else(kit: Kit) -> None:
    kit.follow(door=DOOR, hall=HALL)
    kit.there(("door", DOOR), ("hall", HALL))

    kit.give_up["door"]()
    kit.follow(door=DOOR, hall=HALL)

    kit.there(("hall", HALL))
    state, reason = kit.place("door").condition()
    assert state == "no-signal"
    assert "log" in (reason or "")
    assert not kit.service._failed


def test_a_capture_that_cannot_be_made_is_reported(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: str) -> None:
        raise RuntimeError("out of threads")

    kit.in_making = fail
    kit.follow(door=DOOR)

    wait_for(lambda: kit.place("door").condition()[0] == "no-signal", 20, "its state")
    assert "out of threads" in caplog.text


def test_a_camera_that_moves_away_is_reported_as_moved(kit: Kit) -> None:
    kit.follow(door=DOOR)
    kit.given["door"] = 0.2

    kit.follow()

    assert kit.events[-1] == ("removed", "door", True)


def test_a_failing_worker_of_a_group_calls_its_own_give_up() -> None:
    service = Service("test", Address("127.0.0.1", 0), Ledger())
    given_up = threading.Event()
    group = service.group("door", given_up.set)
    worker_failures = itertools.count()

    def fail(_: Pulse) -> None:
        next(worker_failures)
        raise RuntimeError

    service._running = True
    group._stopping.wait = lambda _=None: False  # type: ignore[method-assign,assignment]
    group.work("capture", fail)

    assert given_up.wait(20)
    assert not service._failed
    service._health._server.server_close()


def test_the_states_are_those_of_the_share(kit: Kit) -> None:
    kit.follow(door=DOOR, hall=HALL, yard=("paused", "not wanted"))
    kit.there(("door", DOOR), ("hall", HALL))
    kit.last("hall").state = ("no-signal", "connection refused")

    assert kit.captures.states() == {"door": "live", "hall": "no-signal", "yard": "paused"}

    kit.follow(hall=HALL)

    assert kit.captures.states() == {"hall": "no-signal"}
