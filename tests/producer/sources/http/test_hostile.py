"""Cameras that send what no camera should: each is given up with a message, within its limits."""

import gzip
import itertools
import socket
import struct
import threading
import time
import tracemalloc
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress

import pytest

from pipeline.wire import jpeg
from pipeline.wire.picture import PictureError
from producer.sources import http
from producer.sources.http.pictures import LARGEST_PART
from producer.sources.source import CaptureError, Limits
from tests.jpegs import segment
from tests.producer.sources.http import web
from tests.producer.sources.http.web import Server
from tests.producer.sources.reading import jpegs

JPEG = jpegs()[0]
OK = b"HTTP/1.1 200 OK\r\n"
MULTIPART = OK + b"Content-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n"
CHUNKED = MULTIPART[:-2] + b"Transfer-Encoding: chunked\r\n\r\n"
PART = b"--b\r\nContent-Type: image/jpeg\r\n\r\n"
UNAUTHORIZED = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\nWWW-Authenticate: "
MOST = LARGEST_PART + 16 * 1024 * 1024  # what fits into the buffers of the connection, too


class Raw:
    """Sends bytes as they are, and counts them."""

    def __init__(self, *pieces: bytes, then: Iterable[bytes] = (), pause: float = 0) -> None:
        self.sent = 0
        self._pieces = pieces
        self._then = then
        self._pause = pause

    def __call__(self, request: web.Request) -> None:
        # By itself, Linux lets up to 4 MB wait here, and up to 6 MB at the reader.
        request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 256 * 1024)
        with suppress(OSError):  # the client has gone
            for piece in itertools.chain(self._pieces, self._then):
                request.connection.sendall(piece)
                self.sent += len(piece)
                time.sleep(self._pause)
        request.close_connection = True


def again(piece: bytes) -> Iterator[bytes]:
    """Yield the same bytes endlessly."""
    return itertools.repeat(piece)


def gigabytes(piece: bytes, count: int) -> Iterator[bytes]:
    """Yield so many gigabytes."""
    return itertools.repeat(piece, count * 10**9 // len(piece))


def refusal(answer: web.Answer, *, user: str = "", seconds: float = 5) -> str:
    """Return why a camera is given up, when it is opened or read."""
    with Server({"/": answer}) as server:
        try:
            link = f"http://{user}{server.host}/"
            with closing(http.open_source(link, Limits(seconds, seconds))) as source:
                for _ in range(10):
                    source.grab()
        except CaptureError as error:
            return str(error)
    pytest.fail("it is not given up")


@pytest.mark.parametrize(
    "answer",
    [
        Raw(OK, then=again(b"X-A: b\r\n" * 100)),
        Raw(OK + b"X: ", then=again(b"x" * 10_000)),
        Raw(b"HTTP/1.1 200 ", then=again(b"x" * 10_000)),
        Raw(then=again(bytes(1000))),
        Raw(JPEG),
        Raw(b"HTTP/1.1 99999 OK\r\n\r\n"),
        Raw(OK + b"Content-Length: 5, 6\r\n\r\n"),
        Raw(CHUNKED, then=again(b"5" * 10_000)),
    ],
    ids=["headers", "header", "status line", "zeros", "HTTP/0.9", "status", "lengths", "chunk's line"],
)
def test_what_is_not_http_is_said_however_much_there_is_of_it(answer: Raw) -> None:
    assert "not HTTP" in refusal(answer)
    assert answer.sent < MOST


@pytest.mark.exceeds("producer.sources.http.pictures.LARGEST_PART")
@pytest.mark.parametrize(
    "start",
    [
        MULTIPART,
        MULTIPART + PART + JPEG[:-2],
        MULTIPART + PART + b"\xff\xd8\xff\xe0",
        MULTIPART + b"--b\r\nContent-Type: image/png\r\n\r\n",
        MULTIPART + b"--b\r\nContent-Type: text/plain\r\nContent-Length: 99999999999\r\n\r\n",
        OK + b"Content-Type: image/jpeg\r\n\r\n",
        CHUNKED + b"8000000000000000\r\n",
        CHUNKED + b"f" * 200 + b"\r\n",
        CHUNKED + b"-5\r\n",
    ],
    ids=["no boundary", "scan", "segment", "PNG", "text", "snapshot", "chunk of 2^63", "larger", "negative"],
)
def test_ten_gigabytes_are_given_up_at_the_limit(start: bytes) -> None:
    answer = Raw(start, then=gigabytes(b"x" * 1_000_000, 10))
    tracemalloc.start()

    text = refusal(answer, seconds=60)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert "sends" in text
    assert answer.sent < MOST
    assert peak < 2 * MOST


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (OK + b"X: ", b"x"),
        (OK, b"X: y\r\n"),
        (CHUNKED, b"1"),
        (CHUNKED + b"0\r\n", b"X: y\r\n"),
        (CHUNKED + b"1;x=", b"x"),
        (MULTIPART, b"x"),
        (MULTIPART, b"--b\r\nContent-Type: text/plain\r\n\r\nabc\r\n"),
        (MULTIPART + PART + JPEG[:-100], b"x"),
    ],
    ids=[
        *("continue", "header", "headers", "chunk's size", "trailers", "chunk's extension"),
        *("body", "other parts", "picture"),
    ],
)
def test_what_trickles_in_for_ever_is_given_up(start: bytes, piece: bytes) -> None:
    text = refusal(Raw(start, then=again(piece), pause=0.02), seconds=0.3)

    assert "within 0.3 s" in text


@pytest.mark.parametrize("trickle", [True, False])
def test_a_chunked_video_may_last_longer_than_its_timeout(trickle: bool) -> None:
    whole = PART + JPEG + b"\r\n"
    chunk = b"%x\r\n%b\r\n" % (len(whole), whole)
    answer = Raw(CHUNKED, then=again(chunk), pause=0.05 if trickle else 0)

    with Server({"/": answer}) as server:
        source = http.open_source(f"http://{server.host}/", Limits(0.3, 0.3))
        with closing(source):
            for _ in range(12):
                source.grab()
                assert source.retrieve().picture == JPEG


@pytest.mark.parametrize(
    "challenge", [b"Digest", b'Digest realm="x"', b'Digest nonce="x", qop="auth"', b"Digest ,,=,=="]
)
def test_a_challenge_that_lacks_something_is_said(challenge: bytes) -> None:
    text = refusal(Raw(UNAUTHORIZED + challenge + b"\r\n\r\n"), user="joe:hunter2@")

    assert "expected a realm and a nonce" in text
    assert "hunter2" not in text


@pytest.mark.parametrize("length", [b"many", b"-9", b"9" * 5000, b"1e3"])
def test_a_length_that_is_none_is_ignored(length: bytes) -> None:
    head = OK + b"Content-Type: video/mp4\r\nContent-Length: " + length

    assert "not a video" in refusal(Raw(head + b"\r\n\r\n" + bytes(1000)))


def test_a_picture_that_stops_is_not_taken_for_a_camera_that_does_not_answer() -> None:
    head = OK + b"Content-Type: image/jpeg\r\nContent-Length: 50000\r\n\r\n\xff\xd8"
    gone = threading.Event()

    def stop(request: web.Request) -> None:
        request.connection.sendall(head)
        gone.wait(30)

    with Server({"/": stop}) as server:
        with pytest.raises(CaptureError, match=r"no data within 0\.3 s"):
            http.open_source(f"http://{server.host}/", Limits(0.3, 0.3))
        gone.set()


@pytest.mark.parametrize("kind", [b"multipart/x-mixed-replace", b"image/jpeg", b"text/plain", b"video/mp4"])
def test_a_compressed_answer_is_said(kind: bytes) -> None:
    head = OK + b"Content-Encoding: gzip\r\nContent-Type: " + kind

    assert "compresses its answer (gzip)" in refusal(Raw(head + b"\r\n\r\n\x1f\x8b" + bytes(100)))


@pytest.mark.parametrize(
    ("head", "text"),
    [
        (b"Content-Encoding: gzip\r\nContent-Type: text/html", "answers with a web page"),
        (b"Content-Encoding: br\r\nContent-Type: application/json", "answers with application/json"),
        (b"Content-Type: application/octet-stream", "answers with data compressed by gzip"),
    ],
)
def test_an_answer_that_would_be_of_no_use_uncompressed_is_named(head: bytes, text: str) -> None:
    answer = OK + head + b"\r\n\r\n" + gzip.compress(b"<!doctype html><title>Camera</title>")

    assert text in refusal(Raw(answer))


@pytest.mark.parametrize("head", [MULTIPART + PART, OK + b"Content-Type: image/jpeg\r\n\r\n"])
def test_a_jpeg_of_65500_by_65500_pixels_is_refused_before_it_is_decoded(head: bytes) -> None:
    frame = segment(0xC0, struct.pack(">BHHB", 8, 65_500, 65_500, 3) + bytes(9))
    data = jpeg.START + frame + segment(0xDA, bytes(10)) + bytes(1000) + jpeg.END

    with Server({"/": Raw(head + data)}) as server:
        source = http.open_source(f"http://{server.host}/", Limits(5, 5))
        with closing(source):
            source.grab()
            with pytest.raises(PictureError, match="65500x65500"):
                source.retrieve()


@pytest.mark.parametrize(
    ("start", "text"),
    [
        (b"SSH-2.0-x\r\n", "it does not begin with HTTP/1.0 or HTTP/1.1, and a status"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", "a line is longer than 64 KiB"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 200 + b"\r\n", "it has more than 100 headers"),
    ],
)
def test_the_error_says_why_an_answer_is_not_http(start: bytes, text: str) -> None:
    assert refusal(Raw(start)) == f"its answer is not HTTP: {text}"


@pytest.mark.parametrize("broken", [JPEG[:2] + b"\xff\xbf" + JPEG[2:], JPEG[:30]], ids=["marker", "cut"])
def test_the_error_says_what_is_wrong_with_a_jpeg(broken: bytes) -> None:
    with Server({"/": web.body(broken, "image/jpeg")}) as server:
        source = http.open_source(f"http://{server.host}/", Limits(5, 5))
        with closing(source):
            source.grab()
            with pytest.raises(PictureError, match=r"broken JPEG: marker 0xbf|truncated JPEG"):
                source.retrieve()
