"""The socket of a real server, over TCP."""

import json
import os
import socket
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest
from prometheus_client import REGISTRY
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from pipeline.access.gate import Gate
from pipeline.access.hosts import Hosts
from pipeline.flow.ledger import Ledger
from pipeline.http.server import WebServer, listen
from pipeline.service.values import Address
from pipeline.service.workers import Pulse
from tests.parts import wait_for
from tests.video.conftest import CONNECTIONS, LIMITS, a_site
from tests.video.fakes import Site, a_frame, grey
from tests.video.streams.socket.fakes import Picture, picture_of
from video.cameras.cameras import Cameras
from video.streams.clients import Clients
from video.streams.socket.endpoint import Socket

BIG = grey(640, 480)
NAMES = ["a/b", "a b", "Tür", "🚪", "..", "<script>alert(1)</script>", "%2f?#"]


@contextmanager
def serving() -> Iterator[tuple[Site, Pulse]]:
    """Run a server of sockets; eight may be open."""
    cameras, listener, pulse = (
        Cameras(LIMITS, Ledger()),
        listen(Address("127.0.0.1", 0)),
        Pulse(threading.Event()),
    )
    site = a_site(cameras)
    routes = [WebSocketRoute("/ws", Socket(cameras, Clients(8, 30)))]
    site.app = Gate(Starlette(routes=routes), None, Hosts(()))
    web = WebServer(site, listener, CONNECTIONS)
    thread = threading.Thread(target=web.run, args=(pulse,), name="web", daemon=True)
    thread.start()
    wait_for(lambda: cameras._loop, 20, "the server")
    try:
        yield Site(site, Ledger(), listener.getsockname()[1]), pulse
    finally:
        pulse.stopping.set()
        thread.join(20)
        web.close()
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def hall() -> Iterator[Site]:
    """A server of sockets for several tests, which show their own cameras."""
    with serving() as (site, _):
        yield site


class Tab:
    """A browser's tab: its socket, and what it does with it."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def say(self, kind: str, **fields: Any) -> None:
        """Send a message."""
        self.connection.send(json.dumps({"type": kind, **fields}))

    def watch(self, **cameras: int) -> None:
        """Want cameras."""
        self.say("watch", cameras=cameras)

    def ack(self, picture: Picture) -> None:
        """Acknowledge a picture."""
        self.say("ack", id=picture.camera, number=picture.number)

    def text(self, kind: str) -> Any:
        """Return the next text of a kind."""
        while True:
            message = self.connection.recv(timeout=20)
            if isinstance(message, str) and (fields := json.loads(message))["type"] == kind:
                return fields

    def picture(self) -> Picture:
        """Return the next picture."""
        while True:
            message = self.connection.recv(timeout=20)
            if isinstance(message, bytes):
                return picture_of(message)

    def code(self) -> int | None:
        """Return the code with which the server closes."""
        with suppress(ConnectionClosed):
            deque(self.connection, maxlen=0)
        return self.connection.close_code


@contextmanager
def tab(site: Site, **options: Any) -> Iterator[Tab]:
    """Open a socket."""
    with connect(f"ws://127.0.0.1:{site.port}/ws", open_timeout=20, close_timeout=5, **options) as connection:
        yield Tab(connection)


def test_all_frames_arrive_in_the_requested_size(hall: Site) -> None:
    hall.show(a_frame(1, camera="one", jpeg=BIG))
    with tab(hall) as each:
        each.watch(one=0)
        full = [each.picture()]
        for seq in range(2, 20):
            each.ack(full[-1])
            hall.show(a_frame(seq, camera="one", jpeg=BIG))
            full.append(each.picture())
        each.ack(full[-1])
        each.watch(one=16)
        small = each.picture()

        assert not each.connection.protocol.extensions
    assert [picture.seq for picture in full] == list(range(1, 20))
    assert {picture.jpeg for picture in full} == {BIG}
    assert (small.scale, small.width, small.height, small.seq) == (4, 160, 120, 19)


def test_cameras_of_any_name_are_listed_and_sent(hall: Site) -> None:
    hall.show(*(a_frame(1, camera=name) for name in NAMES))
    with tab(hall) as each:
        ids = {camera["name"]: camera["id"] for camera in each.text("cameras")["cameras"]}
        for name in NAMES:
            each.say("watch", cameras={name: 0})
            picture = each.picture()
            each.ack(picture)
            assert picture.camera == ids[name]


def test_the_time_is_sent(hall: Site) -> None:
    with tab(hall) as each:
        each.say("time", echo=12.5)
        assert each.text("time")["echo"] == 12.5


@pytest.mark.parametrize(
    ("message", "text", "code"),
    [
        ("{", None, 1007),
        ('{"type": "no"}', None, 1008),
        (b"{}", None, 1008),
        (b"\xff", True, 1007),
        (" " * 70_000, None, 1009),
    ],
)
@pytest.mark.exceeds("pipeline.http.server._LONGEST_MESSAGE")
def test_what_may_not_be_said_closes_this_socket_alone(
    hall: Site, message: str | bytes, text: bool | None, code: int
) -> None:
    with tab(hall) as other, tab(hall) as each:
        each.connection.send(message, text=text)

        assert each.code() == code
        other.say("time", echo=1)
        assert other.text("time")["echo"] == 1


def test_bytes_that_are_no_frames_end_the_connection(hall: Site) -> None:
    with tab(hall) as each:
        each.connection.socket.sendall(b"\xff" * 1000)

        assert each.code() == 1002


def test_a_picture_is_made_once_for_all_browsers(hall: Site) -> None:
    def made() -> float:
        return REGISTRY.get_sample_value("streamlens_pictures_scaled_total", {"scale": "8"}) or 0

    hall.show(a_frame(1, camera="shared", jpeg=BIG))
    with tab(hall) as first, tab(hall) as second, tab(hall) as third:
        before = made()
        for each in (first, second, third):
            each.watch(shared=8)
            each.ack(each.picture())
        for seq in range(2, 12):
            hall.show(a_frame(seq, camera="shared", jpeg=BIG))
            pictures = [each.picture() for each in (first, second, third)]
            for each, picture in zip((first, second, third), pictures, strict=True):
                each.ack(picture)
            assert {picture.seq for picture in pictures} == {seq}

        assert made() - before == 11


def test_a_browser_that_stops_reading_misses_frames_and_then_sees_the_newest(hall: Site) -> None:
    noise = BIG[:-2] + os.urandom(300_000) + BIG[-2:]
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    client.connect(("127.0.0.1", hall.port))
    hall.show(a_frame(1, camera="heavy", jpeg=noise))
    with tab(hall, sock=client, max_queue=1) as each:
        each.watch(heavy=0)
        seqs = [each.picture().seq]
        each.say("ack", id=hall.cameras.get("heavy").id, number=1)  # type: ignore[union-attr]
        hall.show(*(a_frame(seq, camera="heavy", jpeg=noise) for seq in range(2, 102)))
        while seqs[-1] < 101:
            picture = each.picture()
            seqs.append(picture.seq)
            each.ack(picture)

    assert len(seqs) <= 5
    assert seqs == sorted(set(seqs))


def test_one_too_many_is_refused(hall: Site) -> None:
    with ExitStack() as tabs:
        for _ in range(8):
            tabs.enter_context(tab(hall))
        with pytest.raises(InvalidStatus) as caught, tab(hall):
            pass

    assert caught.value.response.status_code == 503
    assert caught.value.response.headers["Retry-After"] == "5"


def test_a_stopping_server_says_so() -> None:
    with serving() as (site, pulse):
        site.show(a_frame(1, jpeg=BIG))
        with tab(site) as each:
            each.watch(door=80)
            each.picture()
            pulse.stopping.set()
            assert each.code() == 1012
