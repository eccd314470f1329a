"""The picture that an MJPEG client gets when its camera falls silent."""

import asyncio

import cv2
import numpy as np
import pytest

from pipeline.wire import picture
from tests.clock import Clock
from tests.parts import wait_for
from tests.video.conftest import LIMITS
from tests.video.fakes import FakeConnection, Site, a_frame, by_length, settle
from video.cameras.camera import Camera
from video.streams.mjpeg.blank import blank
from video.streams.mjpeg.broadcast import Broadcast

BRIGHT = picture.encode(np.full((360, 640, 3), (200, 120, 60), np.uint8), 90)


def pixels(jpeg: bytes) -> np.ndarray:
    """Decode a JPEG."""
    decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded


def watch(camera: Camera, connection: FakeConnection) -> None:
    """Let a client watch a camera."""
    broadcast = Broadcast(camera, 0.04)
    camera.subscribe(broadcast)
    broadcast.add(connection)


async def made() -> None:
    """Wait until the pictures in progress have been sent."""
    await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})


def test_it_is_dark_and_grey_and_says_something() -> None:
    said, unsaid = (pixels(blank(BRIGHT, text)) for text in ("No signal since 12:03:07", " "))

    assert said.shape == (360, 640, 3)
    assert unsaid.max() < 80
    assert np.ptp(said.reshape(-1, 3).mean(axis=0)) < 2
    rows, columns = np.nonzero(said.max(axis=2) > 200)
    assert (columns.min(), columns.max()) == pytest.approx((64, 576), abs=20)
    assert (rows.min() + rows.max()) / 2 == pytest.approx(180, abs=15)


@pytest.mark.parametrize("jpeg", [b"", b"\xff\xd8\xff\xd9", BRIGHT[:300]])
def test_bytes_that_are_not_a_picture_are_rejected(jpeg: bytes) -> None:
    with pytest.raises(ValueError, match="cannot be decoded"):
        blank(jpeg, "No signal")


def test_a_camera_that_falls_silent_says_so_to_its_clients_until_it_is_back(clock: Clock) -> None:
    async def scenario() -> list[int]:
        camera = Camera(1, a_frame(1, jpeg=BRIGHT), LIMITS)
        connection, written = FakeConnection(), []
        watch(camera, connection)
        for seconds in (1, 10):
            clock.now += seconds
            camera.check(None)
            await made()
            written.append(len(connection.written))
        camera.show(a_frame(2, jpeg=BRIGHT))
        await settle()
        written.append(len(connection.written))
        return written

    assert asyncio.run(scenario()) == [1, 2, 3]


def test_a_frame_that_comes_meanwhile_is_not_covered(clock: Clock) -> None:
    async def scenario() -> list[int]:
        camera = Camera(1, a_frame(1, jpeg=BRIGHT), LIMITS)
        connection = FakeConnection()
        watch(camera, connection)
        clock.now += 10
        camera.check("Kafka is away")
        camera.show(a_frame(2, jpeg=BRIGHT))
        await made()
        return connection.seqs

    assert asyncio.run(scenario()) == [1, 2]


def test_many_clients_that_come_to_a_silent_camera_share_a_blank(clock: Clock) -> None:
    async def scenario() -> list[int]:
        camera, connections = Camera(1, a_frame(1, jpeg=BRIGHT), LIMITS), [FakeConnection() for _ in range(9)]
        broadcast = Broadcast(camera, 0.04)
        clock.now += 10
        camera.check(None)
        for connection in connections:
            broadcast.add(connection)
        await made()
        return [len(connection.written) for connection in connections]

    assert asyncio.run(scenario()) == [2] * 9


def test_a_camera_that_is_forgotten_meanwhile_gets_no_blank(clock: Clock) -> None:
    async def scenario() -> tuple[list[int], bool]:
        camera, connection = Camera(1, a_frame(1, jpeg=BRIGHT), LIMITS), FakeConnection()
        watch(camera, connection)
        clock.now += 10
        camera.check(None)
        camera.close()
        await settle()
        return connection.seqs, connection.gone.is_set()

    assert asyncio.run(scenario()) == ([1], True)


def test_a_client_that_joins_a_silent_camera_gets_a_blank(site: Site) -> None:
    site.show(a_frame(1, jpeg=BRIGHT))
    camera = site.cameras.get("door")
    assert camera is not None
    camera._silent_after = 0.05
    wait_for(lambda: camera.state == "no-signal", 20, "no signal")

    with site.ask("/stream/door") as answer:
        parts = by_length(answer, b"frame")
        frozen, blank = next(parts), next(parts)

    assert frozen.body == BRIGHT
    assert pixels(blank.body).mean() < 0.5 * pixels(BRIGHT).mean()
