"""Cameras over HTTP: how they are opened, and in one line why they are not."""

import itertools
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import closing
from email.utils import formatdate

import cv2
import numpy as np
import pytest

from pipeline.wire import picture
from pipeline.wire.picture import PictureError
from producer.sources import http
from producer.sources.http import mjpeg, request, snapshot
from producer.sources.http.deadline import Connection
from producer.sources.http.mjpeg import MjpegSource
from producer.sources.http.snapshot import SnapshotSource
from producer.sources.source import CaptureError, EndedError, Limits, Source
from tests.clock import Clock
from tests.producer.sources.http import web
from tests.producer.sources.http.web import Server
from tests.producer.sources.reading import jpegs, read

JPEGS = jpegs()
MULTIPART = "multipart/x-mixed-replace; boundary=b"
VIDEO = b"".join(b"--b\r\nContent-Type: image/jpeg\r\n\r\n" + each + b"\r\n" for each in JPEGS)


def opened(server: Server, path: str = "/", user: str = "", interval: float = 0.04) -> Source:
    """Open a camera at a path of the server."""
    return http.open_source(f"http://{user}{server.host}{path}", Limits(5, 5), interval)


def refusal(server: Server, path: str = "/", user: str = "") -> str:
    """Return why a camera is not opened."""
    with pytest.raises(CaptureError) as caught:
        opened(server, path, user)
    return str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        web.body(VIDEO, MULTIPART),
        web.body(VIDEO, "multipart/x-mixed-replace"),
        web.body(VIDEO, 'Multipart/X-Mixed-Replace; boundary="--other"'),
        web.body(VIDEO, "application/octet-stream"),
        web.body(VIDEO, "text/plain"),
        web.body(VIDEO, ""),
        web.body(b"".join(JPEGS), ""),
        web.body(b"".join(JPEGS), "video/x-motion-jpeg"),
        web.in_chunks(VIDEO, MULTIPART, 100),
        web.in_chunks(VIDEO, MULTIPART, 100_000),
    ],
)
def test_motion_jpeg_is_read_unchanged_and_its_end_reported(answer: web.Answer) -> None:
    with Server({"/": answer}) as server, closing(opened(server)) as source:
        assert isinstance(source, MjpegSource)
        assert [read(source).picture for _ in JPEGS] == JPEGS

        with pytest.raises(CaptureError, match="ended"):
            source.grab()


def test_a_picture_that_is_cut_short_is_reported_and_the_next_one_read() -> None:
    parts = [JPEGS[0], JPEGS[1][:-40], JPEGS[2]]
    data = b"".join(
        b"--b\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(each) + each + b"\r\n"
        for each in parts
    )

    with Server({"/": web.body(data, MULTIPART)}) as server, closing(opened(server)) as source:
        came, bad = [], 0
        for _ in parts:
            source.grab()
            try:
                came.append(source.retrieve().picture)
            except PictureError:
                bad += 1

    assert (came, bad) == ([JPEGS[0], JPEGS[2]], 1)


def test_a_picture_is_passed_on_when_it_has_arrived_not_when_the_next_does() -> None:
    def answer(request: web.Request) -> None:
        request.send_response(200)
        request.send_header("Content-Type", MULTIPART)
        request.end_headers()
        for sent, each in enumerate(JPEGS):
            request.wfile.write(b"--b\r\nContent-Type: image/jpeg\r\n\r\n" + each)
            if not taken[sent].wait(10):
                return

    taken = [threading.Event() for _ in JPEGS]
    with Server({"/": answer}) as server, closing(opened(server)) as source:
        for sent, each in enumerate(JPEGS):
            assert read(source).picture == each
            taken[sent].set()


@pytest.mark.parametrize("protect", [web.basic, web.digest])
def test_a_password_is_sent_in_the_way_that_the_camera_asks_for(
    protect: Callable[[str, str, web.Answer], web.Answer],
) -> None:
    answer = protect("joe", "p#ss@1/2 ü", web.body(VIDEO, MULTIPART))

    with Server({"/": answer}) as server:
        with closing(opened(server, user="joe:p%23ss%401%2F2%20%C3%BC@")) as source:
            assert read(source).picture == JPEGS[0]
        wrong = refusal(server, user="joe:hunter2@")
        missing = refusal(server)

    assert "does not accept this user name and password" in wrong
    assert "hunter2" not in wrong
    assert "requires a password" in missing
    assert "%23 for #" in missing


def test_a_password_is_not_sent_unless_it_is_asked_for() -> None:
    seen = []

    def answer(request: web.Request) -> None:
        seen.append(request.headers.get("Authorization"))
        web.body(VIDEO, MULTIPART)(request)

    with Server({"/": answer}) as server, closing(opened(server, user="joe:hunter2@")):
        pass

    assert seen == [None]


@pytest.mark.parametrize("user", ["", "joe:secret@"])
def test_a_login_of_another_kind_is_named(user: str) -> None:
    with Server({"/": web.status(401, WWW_Authenticate="NTLM")}) as server:
        text = refusal(server, user=user)

    assert text == "the camera asks for a login of the kind NTLM: only digest and basic are supported"


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirection_on_the_same_host_is_followed(code: int) -> None:
    answers = {"/": web.moved("/video?x=1", code), "/video?x=1": web.body(VIDEO, MULTIPART)}

    with Server(answers) as server, closing(opened(server)) as source:
        assert read(source).picture == JPEGS[0]


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("http://localhost:{}/", "another host"),
        ("ftp://127.0.0.1:{}/", "a URL with ftp://"),
        ("file:///etc/passwd", "a URL with file://"),
        ("//[", "nowhere: expected a URL"),
        ("", "nowhere: expected a URL"),
    ],
)
def test_no_other_redirection_is_followed(location: str, expected: str) -> None:
    with Server({"/": web.body(VIDEO, MULTIPART)}) as other:
        target = location.format(other.server_address[1])
        with Server({"/": web.moved(target)}) as server:
            text = refusal(server)

    assert f"redirects to {expected}" in text
    assert other.requests == []


def test_a_redirection_to_a_host_that_is_allowed_is_followed_without_the_password() -> None:
    seen = []

    def answer(request: web.Request) -> None:
        seen.append(request.headers.get("Authorization"))
        web.body(VIDEO, MULTIPART)(request)

    with Server({"/": answer}) as other:
        moved = web.moved(f"http://localhost:{other.server_address[1]}/")
        with Server({"/": web.basic("joe", "secret", moved)}) as server:
            limits = Limits(5, 5, frozenset({"localhost"}))
            with closing(http.open_source(f"http://joe:secret@{server.host}/", limits)) as source:
                assert read(source).picture == JPEGS[0]

    assert seen == [None]


def test_redirections_in_a_circle_end() -> None:
    with Server({"/": web.moved("/")}) as server:
        assert "redirects more than" in refusal(server)

        assert len(server.requests) == 1 + request._MOST_REDIRECTS


@pytest.mark.exceeds("producer.sources.http.request._MOST_REDIRECTS")
def test_as_many_redirections_as_are_allowed_are_followed() -> None:
    count = request._MOST_REDIRECTS
    answers = {f"/{left}": web.moved(f"/{left - 1}") for left in range(1, count + 2)}
    with Server(answers | {"/0": web.body(VIDEO, MULTIPART)}) as server:
        with closing(opened(server, f"/{count}")) as source:
            assert read(source).picture == JPEGS[0]

        assert f"redirects more than {count} times" in refusal(server, f"/{count + 1}")


@pytest.mark.exceeds("pipeline.wire.text._LONGEST_REASON")
def test_what_a_camera_says_is_quoted_in_one_short_line() -> None:
    kind = "application/\x1b[2Jx\x07y " + "z" * 1000
    with Server({"/": web.body(b"%PDF-1.7", kind)}) as server:
        reason = refusal(server)

    assert reason.startswith("the camera answers with application/ [2jx y zzz")
    assert len(reason) == 500


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (web.status(404), "nothing at this path"),
        (web.status(403), "no permission"),
        (web.status(503), "503 Service Unavailable"),
        (web.status(799), "799"),
        (web.body(b"<!DOCTYPE html><title>Camera</title>", "text/html; charset=utf-8"), "a web page"),
        (web.body(b"\r\n<html></html>", ""), "a web page"),
        (web.body(b"<html></html>", "application/xhtml+xml"), "a web page"),
        (web.body(b'{"error": "login"}', "application/json"), "application/json: expected the URL"),
        (web.body(b'{"error": "login"}', "application/problem+json"), "application/problem+json: expected"),
        (web.body(b"error: login", "text/csv"), "text/csv: expected the URL"),
        (web.body(b"error: login", "text/plain"), "text/plain, and FFmpeg finds no video in it"),
        (web.body(b"%PDF-1.7", "application/pdf"), "application/pdf, and FFmpeg finds no video in it"),
        (web.body(b"....ftypheic", "image/heic"), "image/heic, and FFmpeg finds no video in it"),
        (lambda request: request.wfile.write(b"SSH-2.0-OpenSSH\r\n"), "not HTTP"),
    ],
)
def test_each_refusal_says_what_is_wrong(answer: web.Answer, text: str) -> None:
    with Server({"/": answer}) as server:
        assert text in refusal(server)


@pytest.mark.parametrize("kind", ["text/html", "application/json", "text/xml"])
def test_pictures_with_a_wrong_type_are_read(kind: str) -> None:
    for data in JPEGS[0], b"".join(JPEGS):
        with Server({"/": web.body(data, kind)}) as server, closing(opened(server)) as source:
            assert read(source).picture == JPEGS[0]


def test_a_host_that_does_not_listen_is_said(closed_port: int) -> None:
    with pytest.raises(CaptureError, match="nothing answers at this port"):
        http.open_source(f"http://joe:hunter2@127.0.0.1:{closed_port}/x", Limits(5, 5))


@pytest.mark.parametrize("host", ["camera.invalid", "a..b"])
def test_a_host_that_does_not_exist_is_said(host: str) -> None:
    with pytest.raises(CaptureError, match="host name"):
        http.open_source(f"http://{host}/x", Limits(5, 5))


@pytest.mark.parametrize(
    "link", ["http://127.0.0.1:99999/x", "http://127.0.0.1:x/", "http://[::1/x", "http:///x"]
)
def test_a_url_that_is_none_is_said(link: str) -> None:
    with pytest.raises(CaptureError, match="URL is invalid"):
        http.open_source(link, Limits(5, 5))


def test_the_zone_of_a_link_local_address_is_looked_up_without_its_escape() -> None:
    targets = Limits(1, 1).targets("fe80::1%eth0")

    assert Connection("fe80::1%25eth0", 80, targets=targets).host == "fe80::1%eth0"


def test_a_camera_that_hangs_up_is_said() -> None:
    def hang_up(request: web.Request) -> None:
        request.close_connection = True

    with Server({"/": hang_up}) as server:
        assert "closed the connection" in refusal(server)


@pytest.mark.parametrize("kind", ["multipart/x-mixed-replace", "multipart/x-mixed-replace; boundary="])
def test_a_boundary_that_is_not_named_is_not_worth_a_line(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Server({"/": web.body(VIDEO, kind)}) as server, closing(opened(server)) as source:
        assert read(source).picture == JPEGS[0]

    assert caplog.records == []


def test_a_body_that_is_cut_off_is_said() -> None:
    def answer(request: web.Request) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x\r\nContent-Length: 100000\r\n\r\n"
        request.wfile.write(head + VIDEO[:100])
        request.close_connection = True

    with (
        Server({"/": answer}) as server,
        closing(opened(server)) as source,
        pytest.raises(CaptureError, match="closed the connection"),
    ):
        source.grab()


@pytest.mark.exceeds("producer.settings.ProducerSettings.opentimeout")
def test_a_camera_that_says_nothing_is_given_up() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(CaptureError, match=r"no answer within 0\.3 s; .* raise OPENTIMEOUT"),
    ):
        http.open_source(f"http://127.0.0.1:{silent.getsockname()[1]}/", Limits(0.3, 0.3))


@pytest.mark.parametrize("trickle", [b"x", b"\r\n"])
def test_a_camera_that_sends_no_pictures_is_given_up(trickle: bytes) -> None:
    def answer(request: web.Request) -> None:
        request.send_response(200)
        request.send_header("Content-Type", MULTIPART)
        request.end_headers()
        while True:
            request.wfile.write(trickle)
            time.sleep(0.05)

    with Server({"/": answer}) as server:
        source = http.open_source(f"http://{server.host}/", Limits(0.5, 0.5))
        with closing(source), pytest.raises(CaptureError, match=r"no complete picture within 0\.5 s"):
            source.grab()


def test_a_flood_without_pictures_is_given_up() -> None:
    def answer(request: web.Request) -> None:
        request.send_response(200)
        request.send_header("Content-Type", MULTIPART)
        request.end_headers()
        while True:
            request.wfile.write(bytes(1_000_000))

    with (
        Server({"/": answer}) as server,
        closing(opened(server)) as source,
        pytest.raises(CaptureError, match="no picture in"),
    ):
        source.grab()


def test_a_snapshot_url_is_asked_again_and_again() -> None:
    def answer(request: web.Request) -> None:
        web.body(JPEGS[len(server.requests) % len(JPEGS)], "image/jpeg")(request)

    with Server({"/": answer}) as server, closing(opened(server)) as source:
        assert isinstance(source, SnapshotSource)
        assert source.interval == 1
        pictures = [read(source).picture for _ in range(4)]

    assert pictures == [JPEGS[number] for number in (1, 2, 3, 4)]


@pytest.mark.parametrize("kind", ["", "application/octet-stream", "text/plain"])
def test_a_snapshot_url_is_known_by_its_body(kind: str) -> None:
    with Server({"/": web.body(JPEGS[0], kind)}) as server, closing(opened(server)) as source:
        assert isinstance(source, SnapshotSource)
        assert [read(source).picture for _ in range(3)] == [JPEGS[0]] * 3


@pytest.mark.parametrize(("interval", "seconds"), [(0.042, 1), (0.2, 0.2), (60, 60)])
def test_a_snapshot_url_is_asked_at_the_pace_of_pictures(
    monkeypatch: pytest.MonkeyPatch, interval: float, seconds: float
) -> None:
    clock = Clock()
    monkeypatch.setattr(snapshot, "time", clock)

    with (
        Server({"/": web.body(JPEGS[0], "image/jpeg")}) as server,
        closing(opened(server, interval=interval)) as source,
    ):
        waits = []
        for took in (0, 0.25 * seconds, 3 * seconds, 0):
            waits.append(source.due_in())
            clock.now += waits[-1]
            source.grab()
            clock.now += took
        waits.append(source.due_in())

    # The pictures that were missed meanwhile are skipped.
    assert waits == pytest.approx([0, seconds, 0.75 * seconds, 0, seconds])


def slow(seconds: float, *slow_requests: int) -> web.Answer:
    """Answer with pictures; some requests take so many seconds."""
    count = itertools.count(1)

    def answer(request: web.Request) -> None:
        if next(count) in slow_requests:
            time.sleep(seconds)
        web.body(JPEGS[0], "image/jpeg")(request)

    return answer


def test_the_first_picture_may_take_as_long_as_opening_and_the_others_twice_as_long_as_that() -> None:
    with Server({"/": slow(0.3, 1, 2)}) as server:
        source = http.open_source(f"http://{server.host}/", Limits(5, 0.1))
        with closing(source):
            assert [read(source).picture for _ in range(3)] == [JPEGS[0]] * 3
            assert source.interval == 1

    with Server({"/": slow(0.5, 2)}) as server:
        source = http.open_source(f"http://{server.host}/", Limits(5, 0.1))
        with closing(source):
            read(source)
            with pytest.raises(CaptureError, match="no answer within"):
                read(source)


def test_a_camera_that_needs_long_for_each_picture_is_as_slow_as_that() -> None:
    with Server({"/": slow(1.2, 1)}) as server, closing(opened(server)) as source:
        assert source.interval > 1.2
        read(source)
        assert source.interval > 1.2, "while the second picture is waited for"
        read(source)
        assert source.interval == 1


def test_the_first_picture_of_motion_jpeg_may_take_as_long_as_opening() -> None:
    def answer(request: web.Request) -> None:
        request.send_response(200)
        request.send_header("Content-Type", MULTIPART)
        request.end_headers()
        for pause in (0.3, 0, 1):
            time.sleep(pause)
            request.wfile.write(b"--b\r\nContent-Type: image/jpeg\r\n\r\n" + JPEGS[0] + b"\r\n")

    with Server({"/": answer}) as server:
        source = http.open_source(f"http://{server.host}/", Limits(5, 0.1))
        with closing(source):
            assert [read(source).picture for _ in range(2)] == [JPEGS[0]] * 2
            with pytest.raises(CaptureError, match=r"within 0\.1 s"):
                read(source)


def busy(status: int, retry_after: str | None = None) -> web.Answer:
    """Answer every second request with a picture."""
    count = itertools.count()

    def answer(request: web.Request) -> None:
        if next(count) % 2 == 0:
            web.body(JPEGS[0], "image/jpeg")(request)
        elif status:
            request.send(status, b"", **({"Retry_After": retry_after} if retry_after else {}))
        else:
            request.close_connection = True

    return answer


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 0])
def test_a_camera_that_is_busy_now_and_then_is_asked_again_at_its_pace(status: int) -> None:
    with Server({"/": busy(status)}) as server, closing(opened(server, interval=0.2)) as source:
        assert read(source).picture == JPEGS[0]
        with pytest.raises(PictureError, match=str(status or "closed the connection")):
            read(source)
        wait = source.due_in()
        assert read(source).picture == JPEGS[0]

    assert wait <= 0.4, "the time of two pictures"


@pytest.mark.parametrize("seconds", ["3", "date"])
def test_a_camera_that_asks_for_a_pause_gets_it(seconds: str) -> None:
    text = formatdate(time.time() + 4, usegmt=True) if seconds == "date" else seconds
    with Server({"/": busy(503, text)}) as server, closing(opened(server)) as source:
        read(source)
        with pytest.raises(PictureError):
            read(source)

        assert 2 < source.due_in() <= 4


@pytest.mark.exceeds("producer.sources.http.request._LONGEST_RETRY")
@pytest.mark.parametrize(("asked", "granted"), [(59, 59), (60, 60), (61, 60), (600, 60)])
def test_a_pause_that_is_longer_than_the_timeout_is_a_loss_with_that_pause(asked: int, granted: int) -> None:
    with Server({"/": busy(503, str(asked))}) as server, closing(opened(server)) as source:
        read(source)
        with pytest.raises(CaptureError, match="503 Service Unavailable") as caught:
            read(source)

    assert caught.value.retry_after == granted


@pytest.mark.parametrize("text", ["soon", "-3", "9" * 400, "Mon, 99 Foo"])
def test_a_pause_that_is_none_is_ignored(text: str) -> None:
    with Server({"/": busy(503, text)}) as server, closing(opened(server)) as source:
        read(source)
        with pytest.raises((PictureError, CaptureError)) as caught:
            read(source)

    assert getattr(caught.value, "retry_after", 0) in (0, 60)


def reset(request: web.Request, sent: bytes) -> None:
    """Declare a longer body than is sent, and reset the connection."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 100000\r\n\r\n"
    request.connection.sendall(head + sent)
    linger = struct.pack("ii", 1, 0)
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    request.close_connection = True


@pytest.mark.parametrize("sent", [b"", JPEGS[0][:100]])
def test_a_snapshot_that_is_cut_off_now_and_then_is_asked_for_again(sent: bytes) -> None:
    count = itertools.count()

    def answer(request: web.Request) -> None:
        if next(count) % 2:
            reset(request, sent)
        else:
            web.body(JPEGS[0], "image/jpeg")(request)

    with Server({"/": answer}) as server, closing(opened(server)) as source:
        assert read(source).picture == JPEGS[0]
        with pytest.raises(PictureError, match="closed the connection"):
            read(source)
        assert read(source).picture == JPEGS[0]


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("is_cut", [False, True])
def test_motion_jpeg_that_ends_is_asked_for_again_but_not_faster_than_single_pictures(
    count: int, is_cut: bool
) -> None:
    def answer(request: web.Request) -> None:
        part = b"--b\r\nContent-Type: image/jpeg\r\n\r\n" + JPEGS[0] + b"\r\n"
        length = len(part) * count + (100 if is_cut else 0)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x\r\nContent-Length: %d\r\n\r\n" % length
        request.wfile.write(head + part * count)
        request.close_connection = True

    with Server({"/": answer}) as server, closing(opened(server)) as source:
        for _ in range(count):
            read(source)
        with pytest.raises(EndedError) as caught:
            source.grab()

    assert 0 < caught.value.retry_after <= 1


def test_motion_jpeg_that_ends_later_is_asked_for_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(mjpeg, "time", clock)

    with Server({"/": web.body(VIDEO, MULTIPART)}) as server, closing(opened(server)) as source:
        for _ in JPEGS:
            read(source)
        clock.now += 1
        with pytest.raises(EndedError) as caught:
            source.grab()

    assert caught.value.retry_after == 0


def test_a_snapshot_that_has_not_changed_is_not_sent_again() -> None:
    asked = []

    def answer(request: web.Request) -> None:
        asked.append(request.headers.get("If-None-Match"))
        if asked[-1] == '"1"':
            request.send(304)
        else:
            web.body(JPEGS[0], "image/jpeg", ETag='"1"')(request)

    with Server({"/": answer}) as server, closing(opened(server)) as source:
        first, second = read(source), read(source)

    assert asked == [None, '"1"']
    assert first.picture == second.picture == JPEGS[0]
    assert first.at < second.at


@pytest.mark.parametrize("tail", [b"", bytes(1000)], ids=["nothing behind", "bytes behind"])
@pytest.mark.parametrize("cut", [0, 2], ids=["with its end", "without"])
def test_a_snapshot_is_completed(tail: bytes, cut: int) -> None:
    data = JPEGS[0][: len(JPEGS[0]) - cut] + tail

    with Server({"/": web.body(data, "image/jpeg")}) as server, closing(opened(server)) as source:
        captured = read(source)

    assert isinstance(captured.picture, bytes)
    assert (picture.decode(captured.picture) == picture.decode(JPEGS[0])).all()


@pytest.mark.parametrize("form", [".png", ".bmp", ".webp", ".gif"])
def test_a_snapshot_may_have_another_format(form: str) -> None:
    image = np.full((48, 64, 3), 120, np.uint8)
    data = cv2.imencode(form, image)[1].tobytes()

    with Server({"/": web.body(data, f"image/{form[1:]}")}) as server, closing(opened(server)) as source:
        captured = read(source)

    assert (captured.width, captured.height) == (64, 48)
    assert not isinstance(captured.picture, bytes)
    assert abs(int(captured.picture.mean()) - 120) <= 2
