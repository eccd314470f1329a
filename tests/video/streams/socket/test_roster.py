"""The roster: what browsers learn about the cameras, and when."""

import asyncio
import time
from contextlib import ExitStack
from typing import Any

import pytest

from pipeline.access.visitor import Anyone, Visitor
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Prediction, Result
from tests.video.cameras.statuses import a_status
from tests.video.fakes import a_frame, settle
from tests.video.streams.socket.fakes import Guest, Wall, Wire, until
from video.streams.socket.feed import Feeds
from video.streams.socket.roster import Roster
from video.streams.socket.viewer import Viewer
from video.streams.socket.wire import Watch

EVERYBODY = Anyone()


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Suppress ticks unless a test asks for them, and report changes at once."""
    monkeypatch.setattr("video.streams.socket.roster._EVERY", 3600)
    monkeypatch.setattr("video.streams.socket.roster._AT_MOST_EVERY", 0)


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tick every 10 ms."""
    monkeypatch.setattr("video.streams.socket.roster._EVERY", 0.01)


class Hall:
    """A roster, its cameras, and who is in."""

    def __init__(self) -> None:
        self.wall = Wall()
        self.roster = Roster(self.wall)
        self.stack = ExitStack()

    def enter(self, visitor: Visitor = EVERYBODY) -> tuple[Viewer, Wire]:
        """Let a browser in."""
        connection = Wire()
        viewer = Viewer(connection, visitor, self.wall, Feeds())
        self.stack.enter_context(self.roster.join(viewer))
        return viewer, connection


def labelled(seq: int, label: str, camera: str = "door") -> Frame:
    """Return a frame with a label."""
    return a_frame(
        seq, camera=camera, predictions=(Prediction("imagenet_1", (Result(label, 0.5),), seq, 40),)
    )


def names(text: Any) -> list[str]:
    """Return the cameras that a message tells of."""
    return [camera["name"] for camera in text["cameras"]]


def test_a_browser_gets_all_cameras_when_it_joins() -> None:
    async def scenario() -> tuple[Wall, list[Any]]:
        hall = Hall()
        hall.wall.put(a_frame(camera="yard"), labelled(3, "a <b> of \u2028 tea 🫖", "door"))
        with hall.stack:
            _, connection = hall.enter()
            return hall.wall, connection.texts

    wall, (text,) = asyncio.run(scenario())

    assert text["type"] == "cameras"
    assert names(text) == ["door", "yard"]
    assert [camera["id"] for camera in text["cameras"]] == [2, 1]
    expected: dict[str, Any] = {**wall.cameras["door"].status(), "id": 2}
    assert {**text["cameras"][0], "age_ms": 0} == {**expected, "age_ms": 0}
    assert abs(text["now"] / 1000 - time.time()) < 60


@pytest.mark.parametrize("trouble", [None, "Kafka does not answer"])
def test_a_browser_learns_what_keeps_the_server_from_kafka(trouble: str | None) -> None:
    async def scenario() -> list[Any]:
        hall = Hall()
        hall.wall.report_broker(trouble)
        with hall.stack:
            return hall.enter()[1].texts

    (text,) = asyncio.run(scenario())

    assert (text["broker"], text["cameras"]) == (trouble, [])


def test_each_browser_gets_only_the_cameras_it_may_see() -> None:
    async def scenario() -> list[list[str]]:
        hall = Hall()
        hall.wall.put(*(a_frame(camera=camera) for camera in "abc"))
        with hall.stack:
            guests = [hall.enter(Guest(cameras))[1] for cameras in ("ab", "", "cax")]
            return [names(guest.texts[0]) for guest in guests]

    assert asyncio.run(scenario()) == [["a", "b"], [], ["a", "c"]]


def test_browsers_with_the_same_rights_share_the_message() -> None:
    async def scenario() -> list[int]:
        hall = Hall()
        hall.wall.put(a_frame(camera="a"), a_frame(camera="b"))
        with hall.stack:
            connections = [hall.enter(visitor)[1] for visitor in (Guest("ab"), Anyone(), Guest("b"))]
            hall.wall.put(labelled(2, "tea", "a"))
            await until(lambda: all(len(each.chunks) == 2 for each in connections), "the news")
            return [id(each.chunks[1]) for each in connections]

    first, second, third = asyncio.run(scenario())

    assert first == second != third


def test_changes_are_sent_soon_and_frames_are_not() -> None:
    async def scenario() -> list[Any]:
        hall = Hall()
        with hall.stack:
            viewer, connection = hall.enter()
            viewer.take(Watch({"door": 0}))
            for frame in (labelled(1, "tea"), labelled(2, "tea"), labelled(3, "cake"), labelled(4, "cake")):
                hall.wall.put(frame)
                await until(lambda: hall.roster._update is None, "the update")
            return [
                [camera["predictions"][0]["results"][0]["label"] for camera in text["cameras"]]
                for text in connection.texts
            ]

    assert asyncio.run(scenario()) == [[], ["tea"], ["cake"]]


def test_many_changes_at_once_are_sent_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("video.streams.socket.roster._AT_MOST_EVERY", 1.0)

    async def scenario() -> list[list[str]]:
        hall = Hall()
        with hall.stack:
            _, connection = hall.enter()
            for camera in "abcdef":
                hall.wall.put(a_frame(camera=camera))
                await settle()
            await until(lambda: len(connection.texts) > 1, "the news")
            await settle()
            return [names(text) for text in connection.texts]

    assert asyncio.run(scenario()) == [[], list("abcdef")]


def test_a_watched_camera_is_sent_as_soon_as_it_comes() -> None:
    async def scenario() -> int:
        hall = Hall()
        with hall.stack:
            viewer, connection = hall.enter()
            viewer.take(Watch({"door": 0}))
            hall.wall.put(a_frame(9))
            await until(lambda: connection.pictures, "a picture")
            return connection.pictures[0].seq

    assert asyncio.run(scenario()) == 9


@pytest.mark.usefixtures("ticking")
def test_rights_that_change_are_noticed_with_the_next_tick() -> None:
    async def scenario() -> None:
        hall, guest = Hall(), Guest("a")
        hall.wall.put(a_frame(camera="a"), a_frame(camera="b"))
        with hall.stack:
            viewer, connection = hall.enter(guest)
            viewer.take(Watch({"a": 0, "b": 0}))
            await until(lambda: len(connection.texts) > 2, "two ticks")
            guest.cameras = {"b"}
            await until(lambda: names(connection.texts[-1]) == ["b"], "the news")
            assert not hall.wall.cameras["a"].listeners
            assert [picture.camera for picture in connection.pictures] == [1, 2]

    asyncio.run(scenario())


@pytest.mark.usefixtures("ticking")
def test_a_browser_that_does_not_acknowledge_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("video.streams.socket.window._LOST", 0.05)

    async def scenario() -> None:
        hall = Hall()
        hall.wall.put(a_frame())
        with hall.stack:
            silent, connection = hall.enter()
            _, other = hall.enter()
            silent.take(Watch({"door": 0}))
            await until(lambda: connection.aborted, "the end")
            assert not other.aborted

    asyncio.run(scenario())


@pytest.mark.usefixtures("ticking")
def test_nothing_ticks_when_nobody_is_in() -> None:
    async def scenario() -> None:
        hall = Hall()
        with hall.stack:
            _, connection = hall.enter()
            await until(lambda: len(connection.texts) > 2, "a tick")
        hall.wall.put(a_frame())
        assert hall.roster._tick is hall.roster._update is None

    asyncio.run(scenario())


def test_a_browser_that_joins_right_after_a_camera_gets_it_and_so_do_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("video.streams.socket.roster._AT_MOST_EVERY", 0.05)

    async def scenario() -> tuple[list[str], int]:
        hall = Hall()
        with hall.stack:
            viewer, first = hall.enter()
            viewer.take(Watch({"door": 0}))
            hall.wall.put(a_frame(9))
            _, second = hall.enter()
            await until(lambda: first.pictures, "a picture")
            return names(second.texts[0]), first.pictures[0].seq

    assert asyncio.run(scenario()) == (["door"], 9)


def test_a_camera_that_never_sent_a_frame_is_in_the_list_of_those_who_may_see_it() -> None:
    async def scenario() -> list[list[str]]:
        hall = Hall()
        hall.wall.open()
        with hall.stack:
            connections = [hall.enter(visitor)[1] for visitor in (EVERYBODY, Guest("b"))]
            hall.wall.report(a_status("no-signal", "wrong password", camera="a"), 0)
            await until(lambda: all(len(each.texts) == 2 for each in connections), "the news")
            return [names(each.texts[1]) for each in connections]

    assert asyncio.run(scenario()) == [["a"], []]


def test_its_first_picture_is_sent_to_who_watches_it() -> None:
    async def scenario() -> tuple[list[Any], int]:
        hall = Hall()
        hall.wall.open()
        with hall.stack:
            viewer, connection = hall.enter()
            viewer.take(Watch({"door": 0}))
            hall.wall.report(a_status("no-signal", "wrong password"), 0)
            await until(lambda: len(connection.texts) == 2, "the news")
            hall.wall.put(a_frame(9))
            await until(lambda: connection.pictures, "a picture")
            await until(lambda: len(connection.texts) == 3, "more news")
            cameras = [
                (each["state"], each["id"]) for text in connection.texts[1:] for each in text["cameras"]
            ]
            return cameras, connection.pictures[0].camera

    (before, after), shown = asyncio.run(scenario())

    assert (before[0], after[0]) == ("never-seen", "live")
    assert before[1] != after[1] == shown
