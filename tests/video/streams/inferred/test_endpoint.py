"""The WebSockets of streams on a real server: opening, ids, slow clients, the end."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import quote

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from pipeline.service.workers import Pulse
from tests.parts import wait_for
from tests.video.conftest import a_page, serving
from tests.video.fakes import Site
from tests.video.streams.inferred.fakes import one_model
from video.streams.inferred.identity import Identity

NAMES = [
    "a/b",
    "a b",
    "a:b",
    "Tür",
    "🚪",
    "..",
    "<script>",
    "100%",
    "%3A",
    "x?y#z",
    "ws",
    "page/1",
    "back\\slash",
]
ELSEWHERE = "http://dashboard.example:8123"


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server for several tests, which show their own cameras."""
    with (
        a_page(tmp_path_factory.mktemp("page")),
        serving(Pulse(threading.Event()), embed_origins=[ELSEWHERE]) as site,
    ):
        yield site


@contextmanager
def watching(site: Site, path: str, **options: Any) -> Iterator[ClientConnection]:
    """Open a WebSocket."""
    there = f"ws://127.0.0.1:{site.port}/{path}"
    with connect(there, open_timeout=20, close_timeout=5, **options) as connection:
        yield connection


def is_watched(site: Site, camera: str) -> bool:
    """Return whether somebody watches a stream of a camera that is there."""
    found = site.cameras.get(camera)
    return found is not None and bool(found.listeners)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("whole", [False, True], ids=["as listed", "encoded as a whole"])
def test_cameras_of_any_name_can_be_watched(hall: Site, name: str, whole: bool) -> None:
    frame = one_model(camera=name)
    hall.show(frame)
    identity = str(Identity(name, "imagenet_1"))

    with watching(hall, quote(identity, safe="" if whole else ":%")) as client:
        assert client.recv(20) == frame.jpeg


def test_pictures_come_in_order_and_what_clients_send_is_ignored(hall: Site) -> None:
    hall.show(one_model(1, "order"))
    with watching(hall, "order:imagenet_1:inferred") as client:
        got = [client.recv(20)]
        for seq in range(2, 20):
            client.send("hello")
            client.send(b"\x00\xff")
            hall.show(one_model(seq, "order"))
            got.append(client.recv(20))

    assert got == [one_model(seq, "order").jpeg for seq in range(1, 20)]


def test_an_unknown_stream_is_silent_until_it_comes(hall: Site) -> None:
    with watching(hall, "late:imagenet_1:inferred") as client:
        with pytest.raises(TimeoutError):
            client.recv(0)
        hall.show(one_model(1, "late"))

        assert client.recv(20) == one_model(1, "late").jpeg


@pytest.mark.parametrize("path", ["door:imagenet_1", "door:imagenet_1:origin", "a:b:c:inferred", "x/y"])
def test_what_is_no_id_is_not_opened(hall: Site, path: str) -> None:
    with pytest.raises(InvalidStatus) as caught, watching(hall, path):
        pass

    assert caught.value.response.status_code == 404
    assert caught.value.response.body.startswith(
        b"expected a stream such as door:imagenet_1:inferred, found "
    )


def test_a_path_that_only_looks_like_an_id_says_what_is_expected(hall: Site) -> None:
    with pytest.raises(InvalidStatus) as caught, watching(hall, "a:b:c:inferred"):
        pass

    assert caught.value.response.status_code == 404
    assert b"GET /api/streams" in (caught.value.response.body or b"")


def test_without_an_upgrade_the_answer_says_what_is_missing(hall: Site) -> None:
    status, body = hall.get("/door:imagenet_1:inferred")

    assert status == 426
    assert b"Upgrade" in body


def test_a_client_that_does_not_read_holds_up_nobody_and_then_sees_the_newest(hall: Site) -> None:
    def picture(seq: int) -> Any:
        frame = one_model(seq, "heavy")
        noise = os.urandom(300_000)
        return frame.__class__(
            "heavy", seq, seq, frame.jpeg[:-2] + noise + frame.jpeg[-2:], 320, 180, frame.predictions
        )

    path, frames = "heavy:imagenet_1:inferred", [picture(seq) for seq in range(1, 82)]
    lazy = socket.socket()
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    lazy.connect(("127.0.0.1", hall.port))
    hall.show(frames[0])
    with watching(hall, path, sock=lazy, max_queue=1) as slow, watching(hall, path) as quick:
        got = [quick.recv(20)]
        for frame in frames[1:]:
            hall.show(frame)
            got.append(quick.recv(20))
        late = [slow.recv(20)]
        while late[-1] != frames[-1].jpeg:
            late.append(slow.recv(20))

    jpegs = [frame.jpeg for frame in frames]
    assert got == jpegs
    assert len(late) <= 10
    numbers = [jpegs.index(each) for each in late]
    assert numbers == sorted(set(numbers))


def test_one_too_many_is_refused(hall: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hall.web.clients, "_most", 3)
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(watching(hall, "crowd:imagenet_1:inferred"))
        with pytest.raises(InvalidStatus) as caught, watching(hall, "crowd:imagenet_1:inferred"):
            pass

    assert caught.value.response.status_code == 503
    assert caught.value.response.headers["Retry-After"] == "5"
    wait_for(lambda: not hall.web.clients._open, 20, "their ends to be noticed")


@pytest.mark.parametrize(
    ("origin", "opens"),
    [(ELSEWHERE, True), ("http://evil.example", False), ("null", False), ("http://127.0.0.1:1", False)],
    ids=["named", "other", "hidden", "another port"],
)
def test_of_pages_of_other_sites_only_those_that_are_named_may(hall: Site, origin: str, opens: bool) -> None:
    frame = one_model(camera="seen")
    hall.show(frame)

    if opens:
        with watching(hall, "seen:imagenet_1:inferred", origin=origin) as client:
            assert client.recv(20) == frame.jpeg
        return
    with pytest.raises(InvalidStatus) as caught, watching(hall, "seen:imagenet_1:inferred", origin=origin):
        pass
    assert caught.value.response.status_code == 403
    assert b"EMBEDORIGINS" in (caught.value.response.body or b"")


def test_the_page_s_own_socket_stays_closed_to_them(hall: Site) -> None:
    with pytest.raises(InvalidStatus) as caught, watching(hall, "ws", origin=ELSEWHERE):
        pass

    assert caught.value.response.status_code == 403


def test_a_camera_that_is_gone_leaves_the_socket_open_and_nothing_behind(hall: Site) -> None:
    hall.show(one_model(1, "gone"))
    with watching(hall, "gone:imagenet_1:inferred") as client:
        client.recv(20)
        hall.cameras.forget("gone")
        hall.sync()
        hall.show(one_model(2, "gone"))
        assert client.recv(20) == one_model(2, "gone").jpeg

    wait_for(lambda: not is_watched(hall, "gone"), 20, "the end to be noticed")


def test_a_stopping_server_says_so(tmp_path: Any) -> None:
    pulse = Pulse(threading.Event())
    with a_page(tmp_path), serving(pulse) as site:
        site.show(one_model())
        with watching(site, "door:imagenet_1:inferred") as client:
            client.recv(20)
            pulse.stopping.set()
            with pytest.raises(ConnectionClosed):
                client.recv(20)
            assert client.close_code == 1012
