"""A client's MJPEG stream over ASGI: its beginning and its end."""

import asyncio
from typing import Any

from prometheus_client import REGISTRY

from pipeline.http.connection import CONNECTION
from tests.video.conftest import LIMITS
from tests.video.fakes import INTERVAL, FakeConnection, a_frame, settle
from video.cameras.camera import Camera, Listener
from video.streams.clients import Clients
from video.streams.mjpeg.broadcast import Broadcasts
from video.streams.mjpeg.framing import FIRST, part
from video.streams.mjpeg.response import Stream


def a_camera(seq: int = 1, camera: str = "door") -> Camera:
    """Return a camera with its first frame."""
    return Camera(1, a_frame(seq, camera=camera), LIMITS)


def serve(
    camera: Camera, connection: FakeConnection, clients: Clients, broadcasts: Broadcasts | None = None
) -> asyncio.Task[None]:
    """Stream to a client over ASGI; nothing may be sent that way."""
    scope = {"type": "http", "method": "GET", CONNECTION: connection}
    stream = Stream(camera, broadcasts or Broadcasts(INTERVAL), clients)

    async def nothing(*_: object) -> Any:
        raise AssertionError

    async def serve() -> None:
        await stream(scope, nothing, nothing)

    return asyncio.create_task(serve())


def test_a_stream_begins_with_the_newest_frame_and_the_boundary() -> None:
    async def scenario() -> bytes:
        camera, connection = a_camera(seq=7), FakeConnection()
        task = serve(camera, connection, Clients(1, 30))
        await settle()
        connection.close()
        await task
        return b"".join(connection.written)

    head, _, body = asyncio.run(scenario()).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n" in head
    assert body == FIRST + part(a_frame(7))


def test_a_stream_ends_when_its_client_goes_and_leaves_nothing_behind() -> None:
    async def scenario() -> tuple[tuple[Listener, ...], int]:
        camera, connection, clients = a_camera(), FakeConnection(), Clients(1, 30)
        task = serve(camera, connection, clients)
        await settle()
        assert len(camera.listeners) == len(clients._open) == 1
        connection.abort()
        async with asyncio.timeout(10):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return camera.listeners, len(clients._open)

    assert asyncio.run(scenario()) == ((), 0)


def test_a_stream_ends_with_its_channel() -> None:
    async def scenario() -> list[int]:
        camera, connection = a_camera(), FakeConnection()
        task = serve(camera, connection, Clients(1, 30))
        await settle()
        camera.close()
        async with asyncio.timeout(10):
            await task
        return connection.seqs

    assert asyncio.run(scenario()) == [1]


def test_clients_and_frames_are_counted_per_camera() -> None:
    labels = {"camera": "counted/1"}

    async def scenario() -> list[float | None]:
        camera, connections = a_camera(camera="counted/1"), [FakeConnection(), FakeConnection()]
        clients, broadcasts = Clients(2, 30), Broadcasts(INTERVAL)
        tasks = [serve(camera, connection, clients, broadcasts) for connection in connections]
        await settle()
        watching = REGISTRY.get_sample_value("streamlens_stream_clients", labels)
        for connection in connections:
            connection.close()
        await asyncio.gather(*tasks)
        return [
            watching,
            REGISTRY.get_sample_value("streamlens_stream_clients", labels),
            REGISTRY.get_sample_value("streamlens_stream_frames_sent_total", labels),
        ]

    assert asyncio.run(scenario()) == [2, 0, 2]
