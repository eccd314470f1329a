"""What the clients of streams get: which pictures, when, and what is made for them."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from typing import Any

import pytest
from prometheus_client import REGISTRY

from pipeline.access.visitor import Anyone, Visitor
from pipeline.wire.frame import Frame
from tests.clock import Clock
from tests.video.fakes import FakeConnection
from tests.video.streams.inferred.fakes import alone, one_model, two_models
from tests.video.streams.socket.fakes import Guest, Wall, until
from video.streams.inferred.identity import Identity
from video.streams.inferred.streams import InferredStreams, found
from video.streams.message import PONG, binary_message

CAT, FACE = Identity("door", "imagenet_1"), Identity("door", "emonet_2")


class House:
    """Cameras, and the streams that are watched."""

    def __init__(self, stack: ExitStack) -> None:
        self.wall = Wall()
        self.streams = InferredStreams(self.wall)
        self._stack = stack

    def watch(self, identity: Identity, visitor: Visitor | None = None) -> FakeConnection:
        """Let a client watch a stream to the end of the test."""
        connection = FakeConnection()
        self._stack.enter_context(self.streams.join(identity, connection, visitor or Anyone()))
        return connection


Scene = Callable[[House], Coroutine[Any, Any, None]]


def play(scene: Scene) -> None:
    """Run a scene; at its end, nothing is left."""

    async def run() -> None:
        with ExitStack() as stack:
            house = House(stack)
            await scene(house)
        assert not house.streams._streams
        assert not any(camera.listeners for camera in house.wall)

    asyncio.run(run())


def shown(*frames: Frame) -> list[bytes]:
    """Return what is written of frames with one model."""
    return [binary_message(frame.jpeg) for frame in frames]


def failed(camera: str) -> float:
    """Return how many pictures could not be separated."""
    return REGISTRY.get_sample_value("streamlens_pictures_not_separated_total", {"camera": camera}) or 0


def test_the_pictures_of_one_model_go_out_unchanged_and_each_is_made_once() -> None:
    async def scene(house: House) -> None:
        first, second = house.watch(CAT), house.watch(CAT)
        frames = [one_model(1), one_model(2)]
        house.wall.put(*frames)

        assert first.written == second.written == shown(*frames)
        assert first.written[1] is second.written[1]

    play(scene)


def test_each_stream_has_the_labels_of_its_own_model() -> None:
    async def scene(house: House) -> None:
        cat, face = house.watch(CAT), house.watch(FACE)
        house.wall.put(two_models(1))

        await until(lambda: cat.written and face.written, "both pictures")

        assert cat.written == [binary_message(alone("imagenet_1"))]
        assert face.written == [binary_message(alone("emonet_2"))]

    play(scene)


def test_nothing_is_made_of_frames_that_nobody_watches() -> None:
    def made() -> float:
        return REGISTRY.get_sample_value("streamlens_pictures_separated_total") or 0

    async def scene(house: House) -> None:
        before = made()
        house.wall.put(*map(two_models, range(1, 9)))
        await asyncio.sleep(0)
        assert made() == before
        face = house.watch(FACE)
        await until(lambda: face.written, "the newest picture")
        assert face.written == [binary_message(alone("emonet_2", 8))]
        assert made() == before + 1

    play(scene)


def test_while_one_is_made_newer_ones_replace_each_other() -> None:
    async def scene(house: House) -> None:
        cat = house.watch(CAT)
        house.wall.put(*map(two_models, range(1, 60)))
        last = binary_message(alone("imagenet_1", 59))

        await until(lambda: last in cat.written, "the newest picture")

        assert cat.written[-1] == last
        assert len(cat.written) < 59

    play(scene)


def test_a_client_gets_the_newest_picture_at_once_but_none_of_a_silent_camera(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scene(house: House) -> None:
        clock = Clock()
        monkeypatch.setattr("video.cameras.camera.time", clock)
        house.wall.put(one_model(1))
        assert house.watch(CAT).written == shown(one_model(1))

        clock.now += 100
        house.wall.cameras["door"].check(None)
        late = house.watch(CAT)
        assert not late.written

        house.wall.put(one_model(2))
        assert late.written == shown(one_model(2))

    play(scene)


def test_a_stream_that_does_not_exist_is_silent_until_it_does_and_through_absences() -> None:
    async def scene(house: House) -> None:
        client = house.watch(CAT)
        house.wall.put(one_model(1, "yard"), one_model(1)._replace(predictions=()))
        assert not client.written

        house.wall.put(one_model(2))
        house.wall.drop("door")
        house.wall.put(one_model(3))

        assert client.written == shown(one_model(2), one_model(3))

    play(scene)


def test_a_model_that_no_longer_labels_the_camera_is_silent() -> None:
    async def scene(house: House) -> None:
        face = house.watch(FACE)
        house.wall.put(two_models(1))
        await until(lambda: face.written, "a picture")
        house.wall.put(one_model(2))
        late = house.watch(FACE)

        assert len(face.written) == 1
        assert not late.written

    play(scene)


def test_a_client_that_does_not_read_gets_the_newest_and_holds_up_nobody() -> None:
    async def scene(house: House) -> None:
        slow, quick = house.watch(CAT), house.watch(CAT)
        slow.stall()
        frames = [one_model(seq) for seq in range(1, 30)]
        house.wall.put(*frames)
        assert quick.written == shown(*frames)
        assert slow.written == shown(frames[0])

        slow.read()

        assert slow.written == shown(frames[0], frames[-1])

    play(scene)


def test_a_client_with_much_unread_is_sent_a_pong_in_place_of_pictures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scene(house: House) -> None:
        clock = Clock()
        monkeypatch.setattr("video.streams.inferred.stream.time", clock)
        client = house.watch(CAT)
        house.wall.put(one_model(1))
        client.backlog = 10**6
        clock.now += 0.1
        house.wall.put(one_model(2))
        assert client.written[1:] == [PONG]

        client.backlog = 0
        clock.now += 0.1
        house.wall.put(one_model(3))
        assert client.written[2:] == shown(one_model(3))

    play(scene)


def test_permission_is_checked_for_each_picture() -> None:
    async def scene(house: House) -> None:
        guest = Guest(["yard"])
        client = house.watch(CAT, guest)
        house.wall.put(one_model(1))
        assert not client.written

        guest.cameras.add("door")
        house.wall.put(one_model(2))
        guest.cameras.clear()
        house.wall.put(one_model(3))

        assert client.written == shown(one_model(2))

    play(scene)


def test_what_cannot_be_separated_is_counted_logged_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    async def scene(house: House) -> None:
        cat = house.watch(CAT)
        before = failed("door")
        house.wall.put(two_models(1)._replace(covered=b""), two_models(2)._replace(covered=b"damaged"))
        await until(lambda: failed("door") == before + 2, "both to be counted")
        assert not cat.written

        house.wall.put(two_models(3))
        await until(lambda: cat.written, "a picture")
        assert cat.written == [binary_message(alone("imagenet_1", 3))]

    play(scene)

    (record,) = caplog.records
    assert "camera door: no picture for door:imagenet_1:inferred: " in record.message


def test_a_picture_in_the_making_of_a_camera_that_has_gone_is_shown_to_nobody() -> None:
    async def scene(house: House) -> None:
        cat = house.watch(CAT)
        house.wall.put(two_models(1))
        house.wall.drop("door")
        house.wall.put(two_models(2))

        await until(lambda: cat.written, "a picture")

        assert cat.written == [binary_message(alone("imagenet_1", 2))]

    play(scene)


def test_a_camera_whose_pictures_take_long_rests_and_then_shows_the_newest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("video.streams.inferred.stream._SLOW", 0.0)
    monkeypatch.setattr("video.streams.inferred.stream._REST", 300)

    async def scene(house: House) -> None:
        cat = house.watch(CAT)
        stream = house.streams._streams["door"]["imagenet_1"]
        house.wall.put(two_models(1))
        await until(lambda: stream._resting, "its rest")
        house.wall.put(two_models(2))
        assert stream._making is None

        await until(lambda: len(cat.written) == 2, "the second picture")

        assert cat.written == [binary_message(alone("imagenet_1", seq)) for seq in (1, 2)]

    play(scene)


def test_previews_are_no_streams() -> None:
    async def scene(house: House) -> None:
        name = "preview-0123456789abcdef"
        client = house.watch(Identity(name, "imagenet_1"))
        house.wall._waiting.configured[name] = None  # type: ignore[assignment]  # only that it is there
        house.wall.put(one_model(1, name))
        late = house.watch(Identity(name, "imagenet_1"))

        assert house.wall.get(name) is not None
        assert not client.written
        assert not late.written
        assert found(house.wall, Anyone()) == ([], [])

    play(scene)
