"""MJPEG: the framing, and what one client gets to see."""

import asyncio
import io
import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from tests.clock import Clock
from tests.video.conftest import LIMITS
from tests.video.fakes import PROPERTY, AsgiClient, a_frame, by_boundary, by_length, settle
from video.channel import Channel
from video.mjpeg import FIRST, HEADERS, Stream, part

BOUNDARY = HEADERS["Content-Type"].partition("boundary=")[2].encode()
INTERVAL = 0.042  # s


def a_channel(seq: int = 1, camera: str = "door") -> Channel:
    """Return a camera's channel with its first frame."""
    frame = a_frame(seq, camera=camera)
    return Channel(frame, part(frame), LIMITS)


def show(channel: Channel, seq: int) -> None:
    """Put up a frame."""
    frame = a_frame(seq, camera=channel.frame.camera)
    channel.show(frame, part(frame))


def serve(channel: Channel, client: AsgiClient, interval: float = INTERVAL) -> asyncio.Task[None]:
    """Stream to a client."""

    async def serve() -> None:
        await Stream(channel, interval)(client.scope, client.receive, client.send)

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
    async def scenario() -> AsgiClient:
        channel, client = a_channel(seq=7), AsgiClient()
        task = serve(channel, client)
        await settle()
        client.leave()
        await task
        return client

    client = asyncio.run(scenario())

    start, *_, last = client.messages
    assert (start["type"], start["status"]) == ("http.response.start", 200)
    assert dict(start["headers"])[b"content-type"] == b"multipart/x-mixed-replace; boundary=frame"
    assert b"".join(client.bodies) == FIRST + part(a_frame(7))
    assert not last.get("more_body")


def test_frames_are_paced_at_the_interval(clock: Clock) -> None:
    async def scenario() -> AsgiClient:
        channel, client = a_channel(), AsgiClient()
        task = serve(channel, client, interval=0.040)
        for seq in range(2, 402):
            await settle()
            clock.now += 0.010
            show(channel, seq)
        await settle()
        client.leave()
        await task
        return client

    client = asyncio.run(scenario())

    assert 100 <= len(client.seqs) <= 103
    assert client.seqs == sorted(set(client.seqs))


def test_a_camera_slower_than_the_interval_keeps_all_its_frames(clock: Clock) -> None:
    async def scenario() -> AsgiClient:
        channel, client = a_channel(), AsgiClient()
        task = serve(channel, client, interval=0.040)
        for seq in range(2, 52):
            await settle()
            clock.now += 0.040 if seq % 2 else 0.050
            show(channel, seq)
        await settle()
        client.leave()
        await task
        return client

    client = asyncio.run(scenario())

    assert client.seqs == list(range(1, 52))


def test_a_client_that_stalls_gets_the_newest_frame_and_nothing_older(clock: Clock) -> None:
    async def scenario() -> AsgiClient:
        channel, client = a_channel(), AsgiClient()
        task = serve(channel, client)
        await settle()
        for begin in (2, 12):
            client.stall()
            for seq in range(begin, begin + 10):
                clock.now += INTERVAL
                show(channel, seq)
                await settle()
            client.read()
            await settle()
        client.leave()
        await task
        return client

    client = asyncio.run(scenario())

    assert client.seqs == [1, 2, 11, 12, 21]


def test_a_client_that_stalls_does_not_hold_up_another(clock: Clock) -> None:
    async def scenario() -> tuple[AsgiClient, AsgiClient]:
        channel, slow, quick = a_channel(), AsgiClient(), AsgiClient()
        tasks = [serve(channel, slow), serve(channel, quick)]
        await settle()
        slow.stall()
        for seq in range(2, 12):
            clock.now += INTERVAL
            show(channel, seq)
            await settle()
        slow.leave()
        quick.leave()
        await settle()
        slow.read()
        await asyncio.gather(*tasks)
        return slow, quick

    slow, quick = asyncio.run(scenario())

    assert slow.seqs == [1, 2]
    assert quick.seqs == list(range(1, 12))


def test_all_clients_share_a_frames_bytes() -> None:
    async def scenario() -> tuple[bytes, list[AsgiClient]]:
        channel, clients = a_channel(), [AsgiClient() for _ in range(3)]
        tasks = [serve(channel, client) for client in clients]
        await settle()
        for client in clients:
            client.leave()
        await asyncio.gather(*tasks)
        return channel.part, clients

    made, clients = asyncio.run(scenario())

    assert all(any(body is made for body in client.bodies) for client in clients)


@pytest.mark.parametrize("stalled", [False, True])
def test_a_stream_ends_when_its_client_goes(stalled: bool) -> None:
    async def scenario() -> None:
        channel, client = a_channel(), AsgiClient()
        task = serve(channel, client)
        await settle()
        if stalled:
            client.stall()
            show(channel, 2)
            await settle()
        client.leave()
        await settle()
        client.read()
        async with asyncio.timeout(10):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scenario())


def test_a_stream_ends_with_its_channel() -> None:
    async def scenario() -> AsgiClient:
        channel, client = a_channel(), AsgiClient()
        task = serve(channel, client)
        await settle()
        channel.close()
        async with asyncio.timeout(10):
            await task
        return client

    client = asyncio.run(scenario())

    assert client.seqs == [1]
    assert client.messages[-1] == {"type": "http.response.body"}


def test_a_question_for_the_head_gets_no_body() -> None:
    async def scenario() -> AsgiClient:
        client = AsgiClient("HEAD")
        async with asyncio.timeout(10):
            await serve(a_channel(), client)
        return client

    client = asyncio.run(scenario())

    assert [message["type"] for message in client.messages] == ["http.response.start", "http.response.body"]
    assert client.bodies == []


def test_clients_and_frames_are_counted_per_camera() -> None:
    labels = {"camera": "counted/1"}

    async def scenario() -> list[float | None]:
        channel, clients = a_channel(camera="counted/1"), [AsgiClient(), AsgiClient()]
        tasks = [serve(channel, client) for client in clients]
        await settle()
        watching = REGISTRY.get_sample_value("streamlens_stream_clients", labels)
        for client in clients:
            client.leave()
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
    async def scenario() -> list[list[int]]:
        channel, client = a_channel(), AsgiClient()
        task = serve(channel, client)
        seen = []
        for unread, seqs in ((0, (2, 3)), (1.4, (4,)), (1.6, (5, 6, 7)), (0, (8,))):
            client.unread = round(unread * len(channel.part))
            for seq in seqs:
                await settle()
                clock.now += INTERVAL
                show(channel, seq)
            await settle()
            seen.append(client.seqs)
        client.leave()
        await task
        return seen

    seen = asyncio.run(scenario())

    assert seen == [[1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4, 8]]


def test_a_client_that_seems_to_read_nothing_is_tried_again_now_and_then(clock: Clock) -> None:
    async def scenario() -> AsgiClient:
        channel, client = a_channel(), AsgiClient()
        client.unread = 10**9
        task = serve(channel, client)
        for seq in range(2, 102):
            await settle()
            clock.now += 0.040
            show(channel, seq)
        await settle()
        client.leave()
        await task
        return client

    client = asyncio.run(scenario())

    gaps = {later - earlier for earlier, later in itertools.pairwise(client.seqs)}
    assert client.seqs[0] == 1
    assert 5 <= len(client.seqs) <= 10
    assert gaps == {13}
