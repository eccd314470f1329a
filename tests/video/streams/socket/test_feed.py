"""One camera in one size, made once for all who watch."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator

import pytest
from prometheus_client import REGISTRY

from pipeline.service.logs import Seldom
from tests.video.fakes import a_frame, grey, settle
from tests.video.streams.socket.fakes import Picture, Wall, read, until
from video.cameras.scale import shrink
from video.streams.socket import feed as module
from video.streams.socket.feed import Feed, Feeds

BIG = grey(640, 480)


class Shrinker:
    """Stands in for `shrink`: it begins when it is let, and notes what it was given."""

    def __init__(self) -> None:
        self.begun = 0
        self.made: list[bytes] = []
        self._let = threading.Semaphore(0)

    def __call__(self, jpeg: bytes, scale: int) -> tuple[bytes, int, int]:
        """Wait to be let."""
        self.begun += 1
        assert self._let.acquire(timeout=20)
        self.made.append(jpeg)
        return shrink(BIG, scale)

    def let(self, times: int = 1) -> None:
        """Let it make a picture."""
        self._let.release(times)


@pytest.fixture
def shrinker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shrinker]:
    """What makes pictures smaller, when it is let."""
    shrinker = Shrinker()
    monkeypatch.setattr(module, "shrink", shrinker)
    yield shrinker
    shrinker.let(100)


def a_wall(*cameras: str) -> Wall:
    """Return the cameras."""
    wall = Wall()
    wall.put(*(a_frame(7, camera=camera, jpeg=BIG) for camera in cameras or ["door"]))
    return wall


def nothing(_: Feed) -> None:
    """Listen to nothing."""


def keeper() -> tuple[list[Picture], Callable[[Feed], None]]:
    """Return a list, and a listener that puts pictures there."""
    pictures: list[Picture] = []
    return pictures, lambda feed: pictures.extend(read(feed.chunk))


def scaled(scale: int) -> float:
    """Return how many pictures were made in a size so far."""
    return REGISTRY.get_sample_value("streamlens_pictures_scaled_total", {"scale": str(scale)}) or 0


def test_the_full_picture_is_the_frames_own_bytes() -> None:
    wall = a_wall()
    pictures, listener = keeper()

    feed = Feeds().watch(wall.cameras["door"], 1, listener)
    first = read(feed.chunk)
    wall.put(a_frame(8, captured=99, jpeg=b"another"))

    assert first == [Picture(1, 1, 1, 1, 7, 5_000_000_000, 64, 48, BIG)]
    assert pictures == [Picture(1, 1, 1, 2, 8, 99, 64, 48, b"another")]
    assert feed.number == 2


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_a_smaller_picture_is_made_once_for_all(scale: int) -> None:
    async def scenario() -> list[list[Picture]]:
        wall, feeds, before = a_wall(), Feeds(), scaled(scale)
        kept = [keeper() for _ in range(50)]
        made = [feeds.watch(wall.cameras["door"], scale, listener) for _, listener in kept]
        await until(lambda: kept[0][0], "the first picture")
        wall.put(a_frame(8, jpeg=BIG))
        await until(lambda: len(kept[0][0]) == 2, "the second picture")
        assert len(set(map(id, made))) == 1
        assert scaled(scale) == before + 2
        return [pictures for pictures, _ in kept]

    seen = asyncio.run(scenario())

    assert all(pictures == seen[0] for pictures in seen)
    assert [(picture.number, picture.seq) for picture in seen[0]] == [(1, 7), (2, 8)]
    assert {picture[6:8] for picture in seen[0]} == {(640 // scale, 480 // scale)}
    assert {picture.scale for picture in seen[0]} == {scale}
    assert len(seen[0][0].jpeg) < len(BIG)


def test_while_one_is_made_only_the_newest_waits(shrinker: Shrinker) -> None:
    async def scenario() -> list[int]:
        wall, (pictures, listener) = a_wall(), keeper()
        Feeds().watch(wall.cameras["door"], 2, listener)
        await until(lambda: shrinker.begun == 1, "the first to begin")
        wall.put(*(a_frame(seq, jpeg=b"%d" % seq) for seq in range(8, 20)))
        shrinker.let()
        await until(lambda: shrinker.begun == 2, "the next to begin")
        shrinker.let()
        await until(lambda: len(pictures) == 2, "the next")
        await settle()
        return [picture.seq for picture in pictures]

    seqs = asyncio.run(scenario())

    assert seqs == [7, 19]
    assert shrinker.made == [BIG, b"19"]
    assert shrinker.begun == 2


def test_what_waits_for_a_thread_is_the_newest_when_it_gets_one(shrinker: Shrinker) -> None:
    async def scenario() -> list[int]:
        wall, feeds, (pictures, listener) = a_wall("a", "b", "c"), Feeds(), keeper()
        for camera in "ab":
            feeds.watch(wall.cameras[camera], 2, nothing)
        await until(lambda: shrinker.begun == 2, "both threads to be busy")
        feeds.watch(wall.cameras["c"], 2, listener)
        wall.put(a_frame(8, camera="c"), a_frame(9, camera="c"))
        shrinker.let(3)
        await until(lambda: pictures, "a picture of c")
        await settle()
        return [picture.seq for picture in pictures]

    assert asyncio.run(scenario()) == [9]
    assert shrinker.begun == 3


def test_nothing_is_made_when_nobody_watches() -> None:
    async def scenario() -> None:
        wall, feeds, (pictures, listener) = a_wall(), Feeds(), keeper()
        camera = wall.cameras["door"]
        feed = feeds.watch(camera, 2, listener)
        feeds.watch(camera, 2, nothing)
        await until(lambda: pictures, "a picture")
        feeds.unwatch(feed, nothing)
        assert camera.listeners == (feed,)
        feeds.unwatch(feed, listener)
        before = scaled(2)
        wall.put(a_frame(8, jpeg=BIG))
        await settle()
        assert not camera.listeners
        assert scaled(2) == before
        assert len(pictures) == 1
        assert feeds.watch(camera, 1, nothing) is not feed

    asyncio.run(scenario())


def test_a_browser_that_leaves_while_a_picture_is_made_gets_none(shrinker: Shrinker) -> None:
    async def scenario() -> list[Picture]:
        wall, feeds, (pictures, listener) = a_wall(), Feeds(), keeper()
        feed = feeds.watch(wall.cameras["door"], 2, listener)
        await until(lambda: shrinker.begun, "the first to begin")
        wall.put(a_frame(8))
        feeds.unwatch(feed, listener)
        feeds.unwatch(feed, listener)
        shrinker.let()
        await until(lambda: shrinker.made, "it to be made")
        await settle()
        return pictures

    assert asyncio.run(scenario()) == []
    assert shrinker.begun == 1


def test_a_picture_that_cannot_be_decoded_is_counted_and_the_next_one_shown(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_seldom", Seldom(logging.getLogger("test")))

    async def scenario() -> list[int]:
        wall, (pictures, listener) = Wall(), keeper()
        wall.put(a_frame(7, camera="broken", jpeg=b"no picture"))
        Feeds().watch(wall.cameras["broken"], 2, listener)
        counter = "streamlens_pictures_not_scaled_total", {"camera": "broken"}
        await until(lambda: REGISTRY.get_sample_value(*counter) == 1, "the failure to be counted")
        wall.put(a_frame(8, camera="broken", jpeg=BIG))
        await until(lambda: pictures, "the next one")
        return [picture.seq for picture in pictures]

    assert asyncio.run(scenario()) == [8]
    assert "camera broken: frame 7" in caplog.text


def test_the_end_of_a_camera_is_the_end_of_its_feeds(shrinker: Shrinker) -> None:
    async def scenario() -> list[Picture]:
        wall, feeds, (pictures, listener) = a_wall(), Feeds(), keeper()
        feed = feeds.watch(wall.cameras["door"], 2, listener)
        await until(lambda: shrinker.begun, "the first to begin")
        wall.cameras["door"].close()
        shrinker.let()
        await until(lambda: shrinker.made, "it to be made")
        await settle()
        feeds.unwatch(feed, listener)
        return pictures

    assert asyncio.run(scenario()) == []
