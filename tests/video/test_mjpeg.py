"""MJPEG: the framing, and what one client gets to see."""

import asyncio
import io
import itertools
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from tests.clock import Clock
from tests.video.conftest import LIMITS
from tests.video.fakes import PROPERTY, FakeConnection, a_frame, by_boundary, by_length, settle
from video.channel import Channel, Watcher
from video.clients import Clients
from video.connection import CONNECTION
from video.mjpeg import FIRST, HEADERS, Stream, Viewer, part

BOUNDARY = HEADERS["Content-Type"].partition("boundary=")[2].encode()
INTERVAL = 0.042  # s


def a_channel(seq: int = 1, camera: str = "door") -> Channel:
    """Return a camera's channel with its first frame."""
    return Channel(1, a_frame(seq, camera=camera), LIMITS)


def show(channel: Channel, seq: int) -> None:
    """Put up a frame."""
    channel.show(a_frame(seq, camera=channel.frame.camera))


def view(channel: Channel, interval: float = INTERVAL) -> FakeConnection:
    """Let a client watch; return its connection."""
    connection = FakeConnection()
    viewer = Viewer(connection, channel, interval)
    viewer.show(channel)
    channel.watch(viewer)
    return connection


def serve(channel: Channel, connection: FakeConnection, clients: Clients) -> asyncio.Task[None]:
    """Stream to a client over ASGI; nothing may be sent that way."""
    scope = {"type": "http", "method": "GET", CONNECTION: connection}

    async def nothing(*_: object) -> Any:
        raise AssertionError

    async def serve() -> None:
        await Stream(channel, INTERVAL, clients, lambda _: None)(scope, nothing, nothing)

    return asyncio.create_task(serve())


def test_the_bytes_are_those_of_ustreamer() -> None:
    made = FIRST + part(a_frame(17, captured=123_456_789_000, jpeg=b"JPEG"))

    assert made == (
        b"--frame\r\n"
        b"Content-Type: image/jpeg\r\nContent-Length: 4\r\nX-Seq: 17\r\nX-Captured: 123456789000\r\n"
        b"\r\n"
        b"JPEG\r\n"
        b"--frame\r\n"
    )


def test_the_headers_name_the_boundary_and_keep_caches_out() -> None:
    assert HEADERS["Content-Type"] == "multipart/x-mixed-replace; boundary=frame"
    assert HEADERS["Cache-Control"] == "no-store, no-cache, must-revalidate"


@PROPERTY
@given(jpegs=st.lists(st.binary(max_size=100), max_size=6), first=st.integers(0, 10**18))
def test_any_frames_are_read_back_by_their_lengths(jpegs: list[bytes], first: int) -> None:
    frames = [a_frame(first + number, jpeg=jpeg) for number, jpeg in enumerate(jpegs)]

    stream = FIRST + b"".join(part(frame) for frame in frames)

    parts = list(by_length(io.BytesIO(stream), BOUNDARY))
    assert [body for _, body in parts] == jpegs
    assert [int(headers["x-seq"]) for headers, _ in parts] == [frame.seq for frame in frames]
    assert {headers["content-type"] for headers, _ in parts} <= {"image/jpeg"}


@PROPERTY
@given(jpegs=st.lists(st.binary(max_size=100).filter(lambda jpeg: b"--frame" not in jpeg), max_size=6))
def test_any_frames_are_read_back_by_the_boundary_alone(jpegs: list[bytes]) -> None:
    stream = FIRST + b"".join(part(a_frame(jpeg=jpeg)) for jpeg in jpegs)

    assert by_boundary(stream, BOUNDARY) == jpegs


@PROPERTY
@given(jpegs=st.lists(st.binary(max_size=50), min_size=1, max_size=4))
def test_each_frame_is_complete_without_the_next(jpegs: list[bytes]) -> None:
    stream = FIRST

    for number, jpeg in enumerate(jpegs, start=1):
        stream += part(a_frame(jpeg=jpeg))

        assert stream.endswith(b"\r\n--" + BOUNDARY + b"\r\n")
        assert len(list(by_length(io.BytesIO(stream), BOUNDARY))) == number


def test_a_stream_begins_with_the_newest_frame_and_the_boundary() -> None:
    async def scenario() -> bytes:
        channel, connection = a_channel(seq=7), FakeConnection()
        task = serve(channel, connection, Clients(1, 30))
        await settle()
        connection.close()
        await task
        return b"".join(connection.written)

    head, _, body = asyncio.run(scenario()).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n" in head
    assert body == FIRST + part(a_frame(7))


def test_frames_are_paced_at_the_interval(clock: Clock) -> None:
    channel = a_channel()
    client = view(channel, interval=0.040)

    for seq in range(2, 402):
        clock.now += 0.010
        show(channel, seq)

    assert 100 <= len(client.seqs) <= 103
    assert client.seqs == sorted(set(client.seqs))


def test_a_camera_slower_than_the_interval_keeps_all_its_frames(clock: Clock) -> None:
    channel = a_channel()
    client = view(channel, interval=0.040)

    for seq in range(2, 52):
        clock.now += 0.040 if seq % 2 else 0.050
        show(channel, seq)

    assert client.seqs == list(range(1, 52))


def test_a_client_that_stalls_gets_the_newest_frame_and_nothing_older(clock: Clock) -> None:
    channel = a_channel()
    client = view(channel)

    for begin in (2, 12):
        client.stall()
        for seq in range(begin, begin + 10):
            clock.now += INTERVAL
            show(channel, seq)
        client.read()

    assert client.seqs == [1, 2, 11, 12, 21]


def test_a_client_that_reads_on_is_not_sent_again_what_it_has(clock: Clock) -> None:
    channel = a_channel()
    client = view(channel)
    client.stall()
    clock.now += INTERVAL
    show(channel, 2)
    clock.now += INTERVAL

    client.read()

    assert client.seqs == [1, 2]


def test_a_client_that_stalls_does_not_hold_up_another(clock: Clock) -> None:
    channel = a_channel()
    slow, quick = view(channel), view(channel)
    slow.stall()

    for seq in range(2, 12):
        clock.now += INTERVAL
        show(channel, seq)

    assert slow.seqs == [1, 2]
    assert quick.seqs == list(range(1, 12))


def test_all_clients_share_a_frames_bytes() -> None:
    channel = a_channel()

    clients = [view(channel) for _ in range(3)]

    assert len({id(chunk) for client in clients for chunk in client.written}) == 1


def test_a_stream_ends_when_its_client_goes_and_leaves_nothing_behind() -> None:
    async def scenario() -> tuple[tuple[Watcher, ...], int]:
        channel, connection, clients = a_channel(), FakeConnection(), Clients(1, 30)
        task = serve(channel, connection, clients)
        await settle()
        assert len(channel.watchers) == len(clients) == 1
        connection.abort()
        async with asyncio.timeout(10):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return channel.watchers, len(clients)

    assert asyncio.run(scenario()) == ((), 0)


def test_a_stream_ends_with_its_channel() -> None:
    async def scenario() -> list[int]:
        channel, connection = a_channel(), FakeConnection()
        task = serve(channel, connection, Clients(1, 30))
        await settle()
        channel.close()
        async with asyncio.timeout(10):
            await task
        return connection.seqs

    assert asyncio.run(scenario()) == [1]


def test_clients_and_frames_are_counted_per_camera() -> None:
    labels = {"camera": "counted/1"}

    async def scenario() -> list[float | None]:
        channel, connections = a_channel(camera="counted/1"), [FakeConnection(), FakeConnection()]
        tasks = [serve(channel, connection, Clients(2, 30)) for connection in connections]
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


def test_a_part_holds_the_jpeg_once() -> None:
    jpeg = bytes(range(256)) * 40

    made = part(a_frame(jpeg=jpeg))

    assert len(re.findall(re.escape(jpeg), made)) == 1
    assert len(made) < len(jpeg) + 200


def test_a_client_with_more_than_a_frame_unread_gets_none_until_it_has_read(clock: Clock) -> None:
    channel = a_channel()
    client = view(channel)
    size, seen = len(part(channel.frame)), []

    for unread, seqs in ((0, (2, 3)), (0.9, (4,)), (1.1, (5, 6, 7)), (0, (8,))):
        client.backlog = round(unread * size)
        for seq in seqs:
            clock.now += INTERVAL
            show(channel, seq)
        seen.append(client.seqs)

    assert seen == [[1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4, 8]]


def test_a_client_that_seems_to_read_nothing_is_tried_again_now_and_then(clock: Clock) -> None:
    channel = a_channel()
    client = view(channel)
    client.backlog = 10**9

    for seq in range(2, 102):
        clock.now += 0.040
        show(channel, seq)

    gaps = {later - earlier for earlier, later in itertools.pairwise(client.seqs)}
    assert client.seqs[0] == 1
    assert 5 <= len(client.seqs) <= 10
    assert gaps == {13}
