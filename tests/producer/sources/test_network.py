"""Cameras on the network, and in one line why they are not read."""

import socket
import subprocess
import sys
from contextlib import closing

import pytest

from producer.sources.network import open_source
from producer.sources.source import CaptureError, Limits
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
