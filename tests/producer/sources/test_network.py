"""Cameras on the network, and in one line why they are not read."""

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

import pytest

from pipeline.targets import Targets
from producer.sources import network
from producer.sources.causes import NO_PERMISSION
from producer.sources.network import open_source
from producer.sources.source import CaptureError, Limits, SilentError
from producer.sources.video import Video
from tests.clock import Clock
from tests.networks import MANY_ADDRESSES
from tests.parts import ROOT
from tests.producer.sources import rtsp
from tests.producer.sources.rtsp import Server, described


def refusal(link: str, timeout: float = 5) -> str:
    """Return why a camera is not opened."""
    with pytest.raises(CaptureError) as caught:
        open_source(link, Limits(timeout, timeout))
    return str(caught.value)


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        ({"DESCRIBE": (401, 'WWW-Authenticate: Basic realm="x"\r\n', b"")}, "user name and password"),
        ({"DESCRIBE": (403, "", b"")}, "no permission"),
        ({"DESCRIBE": (404, "", b"")}, "nothing at this path"),
        ({"DESCRIBE": (400, "", b"")}, "400 Bad Request"),
        ({"DESCRIBE": (503, "", b"")}, "5xx"),
        ({"SETUP": (453, "", b"")}, "too many connections"),
        ({"SETUP": (461, "", b"")}, "rtsp+udp://"),
        ({"DESCRIBE": described(rtsp.SOUND)}, "sound, but no video"),
        ({"DESCRIBE": described(b"v=0\r\n")}, "no video"),
        ({"DESCRIBE": (200, "Content-Type: text/html\r\n", b"<html>")}, "no video"),
        ({"DESCRIBE": None}, "not a video"),
    ],
)
def test_each_refusal_says_what_is_wrong(answers: dict[str, rtsp.Answer], text: str) -> None:
    with Server(**answers) as server:
        message = refusal(f"rtsp://joe:hunter2@{server.host}/x", 1)

    assert text in message
    assert "hunter2" not in message


@pytest.mark.parametrize("scheme", ["rtsp", "RTSP", "rtsp+tcp", "rtmp", "tcp", "tls", "ftp"])
def test_a_port_that_nothing_listens_on_is_said(scheme: str, closed_port: int) -> None:
    assert "nothing answers at this port" in refusal(f"{scheme}://127.0.0.1:{closed_port}/x")


@pytest.mark.parametrize("host", ["camera.invalid", "a..b"])
def test_a_host_that_does_not_exist_is_said(host: str) -> None:
    assert "host name" in refusal(f"rtsp://{host}/x")


def test_a_camera_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        reason = refusal(f"rtsp://127.0.0.1:{silent.getsockname()[1]}/x", 0.3)

    assert "no answer within 0.3 s" in reason
    assert "raise OPENTIMEOUT" in reason


@pytest.mark.parametrize("last", [SilentError(1), CaptureError("nothing answers at this port of its host")])
def test_a_hosts_addresses_share_the_time_for_opening(
    last: CaptureError, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(0.0)
    opened: list[tuple[str, float]] = []

    def open_video(address: str, limits: Limits, *_: object) -> Video:
        opened.append((address, limits.open))
        clock.sleep(limits.open)
        raise SilentError(limits.open) if len(opened) == 1 else last

    monkeypatch.setattr(network, "time", clock)
    monkeypatch.setattr(network, "open_video", open_video)
    monkeypatch.setattr(Targets, "addresses", lambda *_: ["fd00::1", "10.0.0.1"])

    reason = refusal("rtsp://camera.example/x", 6)

    assert opened == [("rtsp://[fd00::1]/x", 3), ("rtsp://10.0.0.1/x", 3)]
    assert reason == (str(SilentError(6)) if isinstance(last, SilentError) else str(last))


@pytest.mark.exceeds("producer.settings.ProducerSettings.frozenafter")
def test_a_camera_that_sends_no_video_is_given_up() -> None:
    with (
        Server() as server,
        closing(open_source(f"rtsp://{server.host}/x", Limits(0.5, 0.3))) as source,
        pytest.raises(CaptureError, match=r"no data for 0\.3 s"),
    ):
        source.grab()


@pytest.mark.parametrize(("scheme", "transport"), [("rtsp", "RTP/AVP/TCP"), ("rtsp+udp", "RTP/AVP/UDP")])
def test_a_link_chooses_the_transport(scheme: str, transport: str) -> None:
    with Server(SETUP=(404, "", b"")) as server:
        refusal(f"{scheme}://{server.host}/x")

        assert transport in server.heads


@pytest.mark.parts
def test_a_password_is_printed_nowhere(closed_port: int) -> None:
    # FFmpeg's log level is set once per process: in this one, only the source sets it.
    address = f"joe:hunter2@127.0.0.1:{closed_port}/x"
    lines = [
        "from producer.sources import network",
        "from producer.sources.source import CaptureError, Limits",
        f"for link in ('rtsp://{address}', 'tcp://{address}', 'rtsp://hunter2.invalid/'):",
        "    try: network.open_source(link, Limits(1, 1))",
        "    except CaptureError as error: print(error)",
    ]

    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 3
    assert "hunter2" not in done.stdout


@contextmanager
def accepting(answer: Callable[[socket.socket], None], address: str = "127.0.0.1") -> Iterator[int]:
    """Serve clients one after the other; yield the port."""

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = server.accept()
                with client, suppress(OSError):
                    answer(client)

    with socket.create_server((address, 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def test_an_rtmp_server_gets_the_name_in_the_link() -> None:
    said: list[bytes] = []

    def answer(client: socket.socket) -> None:
        with client.makefile("rb") as requests:
            requests.read(1 + 1536)  # the handshake: a version, and 1536 bytes that are not looked at
            client.sendall(b"\3" + bytes(2 * 1536))
            requests.read(1536)
            said.append(client.recv(4096))

    with accepting(answer) as port:
        refusal(f"rtmp://localhost:{port}/live/door", 5)

    assert f"rtmp://localhost:{port}/live".encode() in said[0]


@pytest.mark.parametrize("scheme", ["rtsp", "rtsp+udp", "rtmp", "tcp", "ftp", "mmst", "tls"])
def test_a_name_that_stands_for_this_machine_is_refused(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda _, *more, **options: real("127.0.0.1", *more, **options)
    )
    came: list[int] = []
    with accepting(lambda _: came.append(1)) as port:
        text = refusal(f"{scheme}://camera.example:{port}/a/b")

    assert "leads to 127.0.0.1, an address of this machine" in text
    assert came == []


@pytest.mark.parametrize("scheme", ["rtsp", "rtsp+udp", "rtmp", "tcp", "udp", "rtp"])
@pytest.mark.parametrize("address", ["169.254.169.254", "[fd00:ec2::254]", "[::ffff:169.254.169.254]"])
def test_metadata_is_not_a_camera(scheme: str, address: str) -> None:
    assert "metadata" in refusal(f"{scheme}://{address}:80/x")


@MANY_ADDRESSES
def test_the_address_that_was_checked_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    # FFmpeg would look a name up by itself, where this test could not change the answer.
    monkeypatch.setattr(Targets, "addresses", lambda *_: ["127.0.0.3"])
    with Server("127.0.0.3") as server:
        port = server.host.rpartition(":")[2]
        open_source(f"rtsp://camera.invalid:{port}/x", Limits(0.5, 0.5)).close()

        assert server.requests


@MANY_ADDRESSES
def test_the_next_address_of_a_host_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Targets, "addresses", lambda *_: ["127.0.0.4", "127.0.0.3"])
    with Server("127.0.0.3") as server:
        port = server.host.rpartition(":")[2]
        open_source(f"rtsp://camera.invalid:{port}/x", Limits(0.5, 0.5)).close()

        assert server.requests


@MANY_ADDRESSES
def test_ftp_stays_with_its_host() -> None:
    came: list[int] = []
    commands: list[bytes] = []

    def answer(client: socket.socket) -> None:
        client.sendall(b"220 hello\r\n")
        with client.makefile("rb") as requests:
            for request in requests:
                commands.append(request[:4])
                replies = {
                    b"PASV": b"227 Entering Passive Mode (127,0,0,2,%d,%d).\r\n" % divmod(elsewhere, 256),
                    b"USER": b"230 in\r\n",
                    b"TYPE": b"200 ok\r\n",
                    b"PWD\r": b'257 "/"\r\n',
                    b"SIZE": b"213 1000\r\n",
                }
                client.sendall(replies.get(request[:4], b"502 no\r\n"))

    with accepting(lambda _: came.append(1), "127.0.0.2") as elsewhere, accepting(answer) as port:
        assert refusal(f"ftp://joe:secret@127.0.0.1:{port}/clip.ts", 2)

    assert b"PASV" in commands
    assert came == []


@MANY_ADDRESSES
@pytest.mark.parametrize(
    "data",
    [
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.2:%d/clip.ts\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile tcp://127.0.0.2:%d\n",
        b"v=0\r\no=- 0 0 IN IP4 127.0.0.2\r\ns=x\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\nm=video %d RTP/AVP 96\r\n"
        b"a=rtpmap:96 H264/90000\r\n",
        b"<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'>tcp://127.0.0.2:%d</MPD>",
        b"[Reference]\nRef1=http://127.0.0.2:%d/clip\n",
        b"RTSPtextRTSP://127.0.0.2:%d/clip",
        b"rtsp://127.0.0.2:%d/clip\n",
    ],
)
def test_a_list_of_other_places_is_not_followed(data: bytes) -> None:
    came: list[int] = []
    with accepting(lambda _: came.append(1), "127.0.0.2") as port:
        text = data % port + b"\n" * 4096
        with accepting(lambda client: client.sendall(text)) as camera:
            assert re.search("not a video|list of other", refusal(f"tcp://127.0.0.1:{camera}", 2))

    assert came == []


def test_a_connection_that_ffmpeg_may_not_open_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> Video:
        raise CaptureError(NO_PERMISSION)

    monkeypatch.setattr(network, "open_video", forbidden)

    with pytest.raises(CaptureError, match="it leads to another address"):
        open_source("rtsp://192.0.2.1/x", Limits(1, 1))
