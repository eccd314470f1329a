"""The HTTP server's life, and clients that read slowly or not at all."""

import http.client
import itertools
import math
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from pipeline.flow.ledger import Ledger
from pipeline.http.server import WebServer, listen
from pipeline.service.settings import SettingsError
from pipeline.service.values import Address
from pipeline.service.workers import Pulse
from tests.parts import wait_for
from tests.video.conftest import CONNECTIONS, LIMITS, a_site, serving
from tests.video.fakes import Site, a_frame, by_length
from video.cameras.cameras import Cameras

LARGE = bytes(1_000_000)
CAMERAS = (f"camera {number}" for number in itertools.count(1))


def sent(camera: str) -> float:
    """Return how many frames of a camera were handed to the network for its clients."""
    return REGISTRY.get_sample_value("streamlens_stream_frames_sent_total", {"camera": camera}) or 0


class Film:
    """Shows frames of a camera when the test asks for them, at most 50 a second."""

    def __init__(self, site: Site, camera: str, jpeg: bytes) -> None:
        self.newest = 0
        self._site, self._frame = site, partial(a_frame, camera=camera, jpeg=jpeg)

    def show(self, count: int) -> None:
        """Show so many more."""
        for _ in range(count):
            self.newest += 1
            self._site.show(self._frame(self.newest))
            time.sleep(0.02)  # a client that has read all is trusted for 50 ms: a few frames, not dozens


def test_a_free_port_is_found_and_listened_on() -> None:
    with listen(Address("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        with socket.create_connection(("127.0.0.1", port), timeout=20):
            pass


def test_the_kernel_takes_little_ahead_of_the_network() -> None:
    with listen(Address("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), timeout=20):
            accepted, _ = listener.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, 25) == 16_384


def test_a_port_that_is_taken_gets_one_line() -> None:
    with listen(Address("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        with pytest.raises(SettingsError) as caught:
            listen(Address("127.0.0.1", port))

    line = str(caught.value)
    assert line == f"DISPLAYPORT='127.0.0.1:{port}': cannot listen there: Address already in use"


@pytest.mark.parametrize("host", ["192.0.2.1", "nobody.invalid"])
def test_a_host_that_is_not_this_one_gets_one_line(host: str) -> None:
    with pytest.raises(SettingsError, match=f"DISPLAYPORT='{host}:0': cannot listen there") as caught:
        listen(Address(host, 0))

    assert len(str(caught.value).splitlines()) == 1


def test_a_server_without_clients_ends_when_stopped_and_beats_until_then(site: Site, pulse: Pulse) -> None:
    begun = pulse.last

    wait_for(lambda: pulse.last > begun, 20, "a heartbeat")

    assert site.get("/api/cameras")[0] == 200


def test_answers_say_what_time_it_is(site: Site) -> None:
    with site.ask("/api/cameras") as answer:
        dated = parsedate_to_datetime(answer.headers["Date"]).timestamp()

    assert time.time() - 30 < dated <= time.time()


def test_open_streams_end_with_the_server(site: Site, pulse: Pulse) -> None:
    site.show(a_frame())
    answers = [site.ask("/stream/door") for _ in range(3)]
    for answer in answers:
        next(by_length(answer, b"frame"))

    pulse.stopping.set()

    assert [answer.read().count(b"X-Seq") for answer in answers] == [0, 0, 0]
    for answer in answers:
        answer.close()


def test_a_client_that_waits_for_the_first_camera_learns_that_the_server_stops(
    site: Site, pulse: Pulse
) -> None:
    with site.connect("/stream", 65_536) as client:
        site.get("/api/cameras")  # so that the request before has come in

        pulse.stopping.set()

        assert client.makefile("rb").readline() == b"HTTP/1.1 503 Service Unavailable\r\n"


def test_a_client_that_never_reads_does_not_hold_up_the_end(
    page: Path,  # noqa: ARG001
    caplog: pytest.LogCaptureFixture,
) -> None:
    camera = next(CAMERAS)

    with serving(Pulse(threading.Event())) as site:
        site.show(a_frame(camera=camera, jpeg=LARGE))
        client = site.connect(site.of("/stream", camera), 4096)
        wait_for(lambda: sent(camera), 20, "the first frame")
    client.close()

    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_server_that_is_started_again_answers_on_the_same_port(
    page: Path,  # noqa: ARG001
) -> None:
    cameras = Cameras(LIMITS, Ledger())
    listener = listen(Address("127.0.0.1", 0))
    served = a_site(cameras)
    web = WebServer(served, listener, CONNECTIONS)
    site = Site(served, Ledger(), listener.getsockname()[1])
    found = []

    for seq in (1, 2):
        pulse = Pulse(threading.Event())
        thread = threading.Thread(target=web.run, args=(pulse,), daemon=True)
        thread.start()
        wait_for(lambda: cameras._loop, 20, "the server")
        site.show(a_frame(seq))
        with site.ask("/snapshot/door.jpg") as answer:
            found.append(answer.headers["x-seq"])
            answer.read()
        pulse.stopping.set()
        thread.join(20)
        assert not thread.is_alive()
    web.close()

    assert found == ["1", "2"]


def test_a_closed_server_leaves_its_port_to_others(page: Path) -> None:  # noqa: ARG001
    listener = listen(Address("127.0.0.1", 0))
    port = listener.getsockname()[1]

    WebServer(a_site(Cameras(LIMITS, Ledger())), listener, CONNECTIONS).close()

    listen(Address("127.0.0.1", port)).close()


def test_a_client_that_never_reads_holds_two_frames_at_most_and_nobody_up(site: Site) -> None:
    idle, watched = next(CAMERAS), next(CAMERAS)
    site.show(a_frame(1, camera=idle, jpeg=LARGE), a_frame(1, camera=watched))

    with (
        site.connect(site.of("/stream", idle), 4096),
        site.ask(site.of("/stream", watched)) as answer,
    ):
        parts = by_length(answer, b"frame")
        found = [int(next(parts).headers["x-seq"])]
        for seq in range(2, 102):
            site.pause()
            site.show(a_frame(seq, camera=idle, jpeg=LARGE), a_frame(seq, camera=watched))
            found.append(int(next(parts).headers["x-seq"]))
        held = sent(idle)

    assert found == list(range(1, 102))
    assert held <= 2
    assert site.ledger.totals() == {"in": 202, "out": 202, "dropped": {}, "pending": 0}


@pytest.mark.parametrize("size", [2_000, 10_000, 60_000, 200_000])
def test_a_client_gets_another_frame_each_time_it_has_read_one_and_few_are_under_way(
    site: Site, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("video.streams.client._PATIENCE", math.inf)
    camera = next(CAMERAS)
    film = Film(site, camera, bytes(size))
    film.show(1)
    found, unread = [], []

    with site.ask(site.of("/stream", camera)) as answer, ThreadPoolExecutor(1) as pool:
        parts = by_length(answer, b"frame")
        for _ in range(30):
            film.show(2)
            part = pool.submit(next, parts)
            while not wait([part], 0.02).done:
                film.show(1)
            found.append(int(part.result().headers["x-seq"]))
            unread.append(sent(camera) - len(found))

    assert found == sorted(set(found))
    assert max(unread) <= 10


@pytest.mark.parametrize("size", [10_000, 60_000, 200_000])
def test_a_client_that_reads_two_of_five_frames_sees_recent_ones(site: Site, size: int) -> None:
    camera = next(CAMERAS)
    lags = []

    film = Film(site, camera, bytes(size))
    film.show(1)

    with (
        socket.create_connection(("127.0.0.1", site.port), timeout=20) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        client.sendall(f"GET {site.of('/stream', camera)} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        with http.client.HTTPResponse(client) as answer:
            answer.begin()
            parts = by_length(answer, b"frame")
            for number in range(30):
                film.show(2 + number % 2)
                part = pool.submit(next, parts)
                while not wait([part], 0.5).done:  # what was read up is noticed with the next frame
                    film.show(1)
                lags.append(film.newest - int(part.result().headers["x-seq"]))

    # Without control of what is under way, the lag would grow by 1.5 frames each time, to 45.
    assert sorted(lags)[len(lags) // 2] <= 15


def test_a_client_that_goes_without_a_word_is_forgotten(site: Site) -> None:
    camera = next(CAMERAS)
    site.show(a_frame(1, camera=camera))
    client = site.connect(site.of("/stream", camera), 65_536)
    labels = {"camera": camera}
    wait_for(lambda: REGISTRY.get_sample_value("streamlens_stream_clients", labels) == 1, 20, "the stream")

    client.close()

    wait_for(lambda: REGISTRY.get_sample_value("streamlens_stream_clients", labels) == 0, 20, "its end")
