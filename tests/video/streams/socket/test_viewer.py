"""One browser: what it wants, and which picture it gets next."""

import pytest
from prometheus_client import REGISTRY

from pipeline.access.visitor import Anyone
from tests.clock import Clock
from tests.video.fakes import a_frame
from tests.video.streams.socket.fakes import Picture, Wall, Wire
from video.streams.message import text_message
from video.streams.socket.feed import Feeds
from video.streams.socket.viewer import Viewer
from video.streams.socket.wire import Ack, Time, Watch

FULL = {"a": 0, "b": 0, "c": 0}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The viewer's time."""
    clock = Clock()
    monkeypatch.setattr("video.streams.socket.viewer.time", clock)
    return clock


class House:
    """The cameras `a`, `b` and `c`, and a browser that may see them all."""

    def __init__(self, connection: Wire | None = None) -> None:
        self.wall = Wall()
        self.wall.put(*(a_frame(1, camera=camera) for camera in FULL))
        self.feeds = Feeds()
        self.connection = connection or Wire()
        self.viewer = Viewer(self.connection, Anyone(), self.wall, self.feeds)
        self.viewer.allow(FULL)

    def show(self, seq: int, cameras: str = "abc") -> None:
        """Put up a frame of each of the cameras."""
        self.wall.put(*(a_frame(seq, camera=camera) for camera in cameras))

    def ack_all(self) -> None:
        """Acknowledge all pictures sent so far, until no more come for it."""
        done = -1
        while done < len(self.connection.pictures):
            done = len(self.connection.pictures)
            for picture in self.connection.pictures:
                self.viewer.take(Ack(picture.camera, picture.number))

    @property
    def seen(self) -> list[tuple[int, int]]:
        """The (camera's id, seq) of each picture sent."""
        return [(picture.camera, picture.seq) for picture in self.connection.pictures]


def test_only_watched_cameras_are_sent() -> None:
    house = House()
    house.show(2)
    assert house.seen == []

    house.viewer.take(Watch({"b": 0}))
    house.show(3)
    house.ack_all()
    house.viewer.take(Watch({"c": 0, "unknown": 640}))
    house.show(4)

    assert house.seen == [(2, 2), (2, 3), (3, 3), (3, 4)]


def test_all_browsers_share_a_pictures_bytes() -> None:
    house = House()
    other = Wire()
    viewer = Viewer(other, Anyone(), house.wall, house.feeds)
    viewer.allow(FULL)
    for each in (house.viewer, viewer):
        each.take(Watch({"a": 0}))

    house.show(2)

    assert [id(chunk) for chunk in other.chunks] == [id(chunk) for chunk in house.connection.chunks]


def test_a_camera_that_comes_later_is_sent_if_it_is_watched() -> None:
    house = House()
    house.viewer.take(Watch({"d": 0}))
    house.wall.put(a_frame(5, camera="d"))
    assert house.seen == []

    house.viewer.allow([*FULL, "d"])

    assert house.seen == [(4, 5)]


def test_a_camera_without_permission_is_no_longer_sent() -> None:
    house = House(Wire(room=2))
    house.viewer.take(Watch(FULL))
    house.ack_all()

    house.viewer.allow(["a", "b"])
    house.connection.drain(100)
    house.show(2)

    assert 3 not in {camera for camera, _ in house.seen}
    assert not house.wall.cameras["c"].listeners


def test_a_full_connection_gets_nothing_and_then_the_newest_in_turns() -> None:
    house = House(Wire(room=1))
    house.viewer.take(Watch(FULL))
    house.ack_all()
    for seq in range(2, 10):
        house.show(seq)
    assert house.seen == [(1, 1)]

    for _ in range(6):
        house.connection.drain(1)
        house.ack_all()

    assert house.seen == [(1, 1), (2, 9), (3, 9), (1, 9)]


def test_no_camera_starves_beside_quick_ones() -> None:
    house = House(Wire(room=0))
    house.connection.full = True
    house.viewer.take(Watch(FULL))

    for seq in range(2, 92):
        house.show(seq, "a")
        house.show(seq, "b")
        if seq % 3 == 0:
            house.show(seq, "c")
            house.connection.drain(1)
            house.ack_all()

    counts = [sum(camera == each for each, _ in house.seen) for camera in (1, 2, 3)]
    assert min(counts) >= 9
    assert sum(counts) == 30


def test_two_pictures_of_a_camera_are_on_their_way_at_most() -> None:
    house = House()
    house.viewer.take(Watch({"a": 0}))

    for seq in range(2, 10):
        house.show(seq)
    before = house.seen
    house.viewer.take(Ack(1, house.connection.pictures[0].number))

    assert before == [(1, 1), (1, 2)]
    assert house.seen == [(1, 1), (1, 2), (1, 9)]


def test_a_camera_does_not_take_the_others_places() -> None:
    house = House()
    house.viewer.take(Watch(FULL))
    for seq in range(2, 20):
        house.show(seq)
        house.ack_all()
    before = len(house.seen)

    for seq in range(20, 30):
        house.show(seq, "a")
    house.show(30, "bc")

    assert house.seen[before:] == [(1, 20), (1, 21), (2, 30), (3, 30)]


def test_numbers_begin_again_on_the_wire_alone() -> None:
    house = House()
    house.wall.cameras["a"].number = 2**32 - 3
    house.viewer.take(Watch({"a": 0}))

    for seq in range(2, 8):
        house.show(seq)
        house.ack_all()

    numbers = [picture.number for picture in house.connection.pictures]
    assert numbers == [2**32 - 3, 2**32 - 2, 2**32 - 1, 0, 1, 2, 3]


def test_the_scale_fits_the_requested_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "video.streams.socket.viewer.scale_for", lambda width, wanted: 1 if wanted == width else 99
    )
    house = House()

    house.viewer.take(Watch({"a": 64}))

    assert house.seen == [(1, 1)]


def test_a_picture_requested_again_is_sent_again() -> None:
    house = House()

    for _ in range(3):
        house.viewer.take(Watch({"a": 0}))
        house.viewer.take(Watch({}))
        house.ack_all()

    assert house.seen == [(1, 1)] * 3


def test_a_wish_repeated_changes_nothing() -> None:
    house = House()

    for _ in range(3):
        house.viewer.take(Watch({"a": 0}))
        house.ack_all()

    assert house.seen == [(1, 1)]


def test_in_a_new_size_nothing_older_is_sent() -> None:
    house = House()
    house.viewer.take(Watch({"a": 0}))
    house.show(2)
    house.ack_all()
    (feed,) = house.wall.cameras["a"].listeners

    feed.number, feed.chunk = 1, text_message("{}")  # type: ignore[attr-defined]
    house.viewer._show(feed)  # type: ignore[arg-type]

    assert house.seen == [(1, 1), (1, 2)]
    assert not house.connection.texts


def test_the_time_is_sent_with_the_echo_of_the_question(clock: Clock) -> None:
    house = House()

    house.viewer.take(Time(12345.6))

    assert house.connection.texts == [{"type": "time", "echo": 12345.6, "now": 1000 * clock.now}]


def test_texts_wait_for_room_and_go_before_pictures(clock: Clock) -> None:
    house = House(Wire(room=0))
    house.connection.full = True
    house.viewer.take(Watch(FULL))
    for number in range(3):
        house.viewer.send_text(text_message(f'"{number}"'))
        house.viewer.take(Time(number))
    clock.now += 5

    for _ in range(3):
        house.connection.drain(1)

    first, second, third = house.connection.messages
    assert first == "2"
    assert second == {"type": "time", "echo": 2, "now": 1000 * clock.now}
    assert isinstance(third, Picture)


def test_a_browser_that_acknowledges_nothing_for_long_is_given_up(clock: Clock) -> None:
    house = House()
    house.viewer.take(Watch({"a": 0}))

    assert not house.viewer.expired(clock.now + 10)
    assert house.viewer.expired(clock.now + 10.1)
    house.ack_all()
    assert not house.viewer.expired(clock.now + 1000)


def test_after_its_end_nothing_is_sent_nor_watched() -> None:
    house = House(Wire(room=1))
    house.viewer.take(Watch(FULL))
    house.viewer.send_text(text_message("1"))

    house.viewer.close()
    house.connection.drain(100)
    house.show(2)

    assert len(house.connection.chunks) == 1
    assert not any(camera.listeners for camera in house.wall)


def test_sent_and_skipped_pictures_are_counted() -> None:
    wall, connection = Wall(), Wire()
    wall.put(a_frame(1, camera="counted/2"))
    viewer = Viewer(connection, Anyone(), wall, Feeds())
    viewer.allow(["counted/2"])
    viewer.take(Watch({"counted/2": 0}))

    wall.put(*(a_frame(seq, camera="counted/2") for seq in range(2, 8)))

    labels = {"camera": "counted/2"}
    assert REGISTRY.get_sample_value("streamlens_socket_pictures_sent_total", labels) == 2
    assert REGISTRY.get_sample_value("streamlens_socket_pictures_skipped_total", labels) == 4
