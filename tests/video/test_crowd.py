"""Many clients of one video server: what they cost in memory, and what becomes of those that never read."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import pytest
from confluent_kafka import Producer

from pipeline.wire.frame import encode
from tests.parts import Service, embedded_broker, free_port, get, wait_for
from tests.video.fakes import Browser, a_frame, grey

LARGE = grey(1280, 720) + bytes(60_000) + b"\xff\xd9"


@contextmanager
def film(bootstrap: str) -> Iterator[None]:
    """Let 25 frames of 70 KB a second come in from the camera `door`."""
    producer, stopping = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0}), threading.Event()

    def send() -> None:
        for seq in count(1):
            message = encode(a_frame(seq, captured=time.time_ns(), jpeg=LARGE))
            producer.produce("videodisplay", message.value, message.key, headers=dict(message.headers))
            producer.poll(0)
            if stopping.wait(0.04):
                return

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
        producer.flush(5)


@contextmanager
def serving(folder: Path, **variables: str) -> Iterator[tuple[Service, Browser]]:
    """Run a video server with a film."""
    port = free_port()
    with (
        embedded_broker(folder) as (bootstrap, _),
        Service(
            "video", {"KAFKAPORT": bootstrap, "DISPLAYPORT": f"127.0.0.1:{port}", **variables}, folder
        ) as video,
        film(bootstrap),
    ):
        video.ready()
        yield video, Browser(port)


def reader(client: socket.socket, stopping: threading.Event) -> Callable[[], None]:
    """Return what reads all that comes, and leaves the last word to the server."""

    def read() -> None:
        client.settimeout(0.5)
        while not stopping.is_set():
            try:
                if not client.recv(1 << 20):
                    return
            except TimeoutError:
                continue
            except OSError:
                return

    return read


@pytest.mark.parts
def test_two_hundred_clients_of_which_half_never_read_leave_the_memory_flat(tmp_path: Path) -> None:
    stopping = threading.Event()
    with serving(tmp_path) as (video, browser), ExitStack() as stack:
        clients = [stack.enter_context(browser.connect("/stream/door", 65_536)) for _ in range(200)]
        threads = [threading.Thread(target=reader(client, stopping)) for client in clients[::2]]
        for thread in threads:
            thread.start()
        wait_for(lambda: video.metric("streamlens_stream_clients") == 200, 20, "the clients")
        sent = video.metric("streamlens_stream_frames_sent_total")
        wait_for(lambda: video.metric("streamlens_stream_frames_sent_total") > sent + 5_000, 60, "frames")
        before = video.rss()
        wait_for(lambda: video.metric("streamlens_stream_frames_sent_total") > sent + 20_000, 90, "frames")
        after = video.rss()
        stopping.set()
        for thread in threads:
            thread.join()

    assert after - before < 8, "MB; the frames that half of them did not read are 500 MB"
    assert after < 150


@pytest.mark.parts
def test_a_client_that_never_reads_is_closed_in_time(tmp_path: Path) -> None:
    with (
        serving(tmp_path, CLIENTTIMEOUT="2s") as (video, browser),
        browser.connect("/stream/door", 4_096),
        browser.ask("/stream/door") as watched,
    ):
        wait_for(lambda: video.metric("streamlens_stream_clients") == 2, 20, "the clients")
        begun = time.monotonic()
        while video.metric("streamlens_stream_clients") > 1:
            assert time.monotonic() < begun + 20
            watched.read(100_000)
        ended = video.metric('streamlens_clients_ended_total{reason="does not read"}')

    assert ended == 1
    assert time.monotonic() - begun > 1.5


@pytest.mark.parts
def test_a_camera_that_falls_silent_is_forgotten_after_its_time(tmp_path: Path) -> None:
    with ExitStack() as stack:
        filming = stack.enter_context(ExitStack())
        bootstrap, _ = stack.enter_context(embedded_broker(tmp_path))
        port = free_port()
        settings = {"KAFKAPORT": bootstrap, "DISPLAYPORT": f"127.0.0.1:{port}", "CAMERATTL": "1s"}
        video, browser = stack.enter_context(Service("video", settings, tmp_path)), Browser(port)
        filming.enter_context(film(bootstrap))
        video.ready()
        with browser.ask("/stream/door") as stream:
            filming.close()
            wait_for(lambda: browser.get("/api/cameras") == (200, b"[]"), 20, "the camera to be forgotten")
            end = stream.read()[-9:]
        again = browser.get("/stream/door")[0]
        metrics = get(f"{video.health}/metrics").decode()

    assert end == b"--frame\r\n"
    assert again == 404
    assert 'camera="door"' not in metrics


@pytest.mark.parts
def test_no_more_clients_are_served_than_may(tmp_path: Path) -> None:
    with serving(tmp_path, MAXCLIENTS="2") as (video, browser):
        with browser.ask("/stream/door") as first, browser.ask("/stream/door") as second:
            third = browser.get("/stream/door")
            cameras = browser.get("/api/cameras")[0]
            kept = (first.read(1_000), second.read(1_000))
        wait_for(lambda: video.metric("streamlens_stream_clients") == 0, 20, "them to be gone")
        with browser.ask("/stream/door") as again:
            status = again.status

    assert third == (503, b"there are 2 open streams (MAXCLIENTS); try again later\n")
    assert cameras == status == 200
    assert all(part.startswith(b"--frame\r\n") for part in kept)


@pytest.mark.parts
def test_several_servers_share_a_port_and_one_takes_over_from_another(tmp_path: Path) -> None:
    share = {"SHAREPORT": "true", "DISPLAYPORT": f"127.0.0.1:{free_port()}"}
    with serving(tmp_path, **share) as (first, _):
        bootstrap = next(
            line for line in (tmp_path / "broker.log").read_text().splitlines() if "KAFKA_BOOTSTRAP=" in line
        ).split("KAFKA_BOOTSTRAP=")[1]
        with Service("video", {"KAFKAPORT": bootstrap, **share}, tmp_path, "2") as second:
            second.ready()
            address = f"http://{share['DISPLAYPORT']}/snapshot/door.jpg"
            both = [get(address) for _ in range(20)]
            first.kill()

            alone = [get(address) for _ in range(20)]

    assert {picture[:2] for picture in both + alone} == {b"\xff\xd8"}


@pytest.mark.parametrize("most", ["0", "-1", "x"])
def test_a_bound_that_will_not_do_is_refused(most: str, complaint: Callable[..., str]) -> None:
    assert complaint(MAXCLIENTS=most).startswith(f"MAXCLIENTS={most!r}: ")
