"""RTSP cameras that would lead FFmpeg elsewhere."""

import errno
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from io import BytesIO
from pathlib import Path

import pytest

from pipeline.service.values import Address
from producer.sources import control
from producer.sources.control import Control, ControlError, answers
from producer.sources.network import open_source
from producer.sources.source import CaptureError, Limits
from tests.networks import MANY_ADDRESSES
from tests.parts import wait_for
from tests.producer.sources import rtsp
from tests.producer.sources.rtsp import VIDEO, Server, described

ELSEWHERE = "127.0.0.2"


class Listener:
    """Another host, which notes who connects or sends a packet."""

    def __init__(self) -> None:
        self.tcp = socket.create_server((ELSEWHERE, 0))
        self.port = self.tcp.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((ELSEWHERE, self.port))
        self.visits: list[str] = []

    def __enter__(self) -> "Listener":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.tcp.shutdown(socket.SHUT_RDWR)
        self.tcp.close()
        self.udp.close()

    def packets(self) -> bool:
        """Return whether a packet has come; one that was sent before is here, as it has not left loopback."""
        self.udp.setblocking(False)
        with suppress(BlockingIOError):
            return bool(self.udp.recv(2000))
        return False

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.tcp.accept()
                self.visits.append("TCP")
                client.close()


@pytest.fixture
def elsewhere() -> Iterator[Listener]:
    with Listener() as listener:
        yield listener


def try_to_open(server: Server, scheme: str, reaches: str = "") -> str:
    """Open a camera, and close it again; return why not, if it cannot be opened.

    The camera gets a request with the method `reaches`; on a busy machine, that takes more than one attempt.
    """
    for patience in (0.5, 5, 30):
        why = ""
        try:
            open_source(f"{scheme}://joe:secret@{server.host}/x", Limits(patience, patience)).close()
        except CaptureError as error:
            why = str(error)
        if any(request.startswith(reaches) for request in server.requests):
            return why
    raise AssertionError(f"no {reaches or 'request'} reached the camera; the last attempt: {why or 'opened'}")


@MANY_ADDRESSES
@pytest.mark.parametrize("scheme", ["rtsp", "rtsp+udp"])
@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"])
@pytest.mark.parametrize("status", [301, 302, 303, 305, 399])
def test_a_redirection_is_not_followed(elsewhere: Listener, scheme: str, method: str, status: int) -> None:
    location = f"Location: rtsp://{ELSEWHERE}:{elsewhere.port}/y\r\n"
    with Server(**{method: (status, location, b"")}) as server:
        assert try_to_open(server, scheme)

    assert elsewhere.visits == []


@MANY_ADDRESSES
@pytest.mark.parametrize(
    "form",
    [
        "RTSP",
        "rtsps",
        "satip",
        "http",
        "https",
        "tcp",
        "tls",
        "rtp",
        "udp",
        "file",
        "unix",
        "",
        "data",
        "x,tcp",
    ],
)
def test_a_redirection_to_another_scheme_is_not_followed(elsewhere: Listener, form: str) -> None:
    target = f"{form}://{ELSEWHERE}:{elsewhere.port}/y?tcp&multicast"
    with Server(DESCRIBE=(302, f"Location: {target.removeprefix('://')}\r\n", b"")) as server:
        assert try_to_open(server, "rtsp")
        assert try_to_open(server, "rtsp+udp")

    assert elsewhere.visits == []
    assert not elsewhere.packets()


def test_a_redirection_is_reported() -> None:
    with Server(DESCRIBE=(302, "Location: rtsp://192.0.2.1/y\r\n", b"")) as server:
        assert "leads to another address" in try_to_open(server, "rtsp", "DESCRIBE")


@MANY_ADDRESSES
@pytest.mark.parametrize("scheme", ["rtsp", "rtsp+udp"])
@pytest.mark.parametrize(
    "lines",
    [
        "a=control:rtsp://{}/t\r\n",
        "a=control:http://{}/t\r\n",
        "c=IN IP4 {host}\r\na=control:x\r\n",
        "c=IN IP4 239.1.2.3/127\r\na=control:x\r\n",
        "a=source-filter: incl IN IP4 * {host}\r\na=control:x\r\n",
        "a=rtcp:{port} IN IP4 {host}\r\na=control:x\r\n",
    ],
)
def test_a_description_leads_nowhere(elsewhere: Listener, scheme: str, lines: str) -> None:
    text = lines.format(f"{ELSEWHERE}:{elsewhere.port}", host=ELSEWHERE, port=elsewhere.port).encode()
    sdp = VIDEO.replace(b"a=control:trackID=0\r\n", text)
    base = f"Content-Type: application/sdp\r\nContent-Base: rtsp://{ELSEWHERE}:{elsewhere.port}/\r\n"
    setup = "Session: 1\r\nTransport: RTP/AVP;unicast;server_port=9-9\r\n" if "udp" in scheme else None
    answered = {"SETUP": (200, setup, b"")} if setup else {}
    with Server(DESCRIBE=(200, base, sdp), **answered) as server:
        try_to_open(server, scheme, "SETUP")

    assert elsewhere.visits == []
    assert not elsewhere.packets()


@MANY_ADDRESSES
@pytest.mark.parametrize(
    "transport",
    [
        "RTP/AVP/UDP;unicast;server_port={port}-{port};source={host}",
        "RTP/AVP;unicast;source={host};server_port={port}-{port};destination={host}",
        "RTP/AVP;unicast; SOURCE={host};source={host};server_port={port}",
        "RTP/AVP;multicast;destination=239.1.2.3;port={port}-{port}",
        "RTP/AVP;multicast;destination={host};port={port}-{port};source={host}",
        "RTP/AVP/TCP;unicast;interleaved=0-1;source={host}",
        "RTP/AVP;unicast;server_port={port},RTP/AVP;source={host};server_port={port}",
        "x" * 4000 + ";source={host};server_port={port}",
    ],
)
@pytest.mark.parametrize("before", ["", "X: y\r\rTransport:", "Content-Length: 400\r\n", "$\0\0\3"])
def test_packets_go_to_the_camera_only(elsewhere: Listener, transport: str, before: str) -> None:
    value = transport.format(host=ELSEWHERE, port=elsewhere.port)
    head = f"Session: 1\r\n{before}Transport: {value}\r\n"
    with Server(SETUP=(200, head, b"")) as server:
        try_to_open(server, "rtsp+udp", "SETUP")

    assert elsewhere.visits == []
    assert not elsewhere.packets()


@MANY_ADDRESSES
def test_packets_do_go_to_the_camera() -> None:
    with Listener() as camera:
        setup = (200, f"Session: 1\r\nTransport: RTP/AVP;unicast;server_port={camera.port}\r\n", b"")
        with (
            Server(ELSEWHERE, SETUP=setup) as server,
            closing(open_source(f"rtsp+udp://{server.host}/x", Limits(0.5, 0.5))),
        ):
            wait_for(camera.packets, 5, "a packet")


def listening() -> set[tuple[str, str]]:
    """Return the sockets of this process on which anybody may reach it: protocol and local address."""
    inodes = {
        os.readlink(link)[8:-1]
        for link in Path("/proc/self/fd").iterdir()
        if link.is_symlink() and _target(link).startswith("socket:")
    }
    found = set()
    for protocol in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/self/net/{protocol}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[9] in inodes and (protocol.startswith("udp") or fields[3] == "0A"):
                found.add((protocol, fields[1]))
    return found


def _target(link: Path) -> str:
    with suppress(OSError):
        return os.readlink(link)
    return ""


@contextmanager
def opened(scheme: str, **answered: rtsp.Answer) -> Iterator[set[tuple[str, str]]]:
    """Open a camera; yield the sockets that listen meanwhile, and did not before."""
    with Server(**answered) as server:
        before = listening()
        with closing(open_source(f"{scheme}://{server.host}/x", Limits(0.5, 0.5))):
            yield listening() - before


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="no /proc")
def test_nothing_listens_for_rtsp_over_tcp() -> None:
    with opened("rtsp") as found:
        assert found == set()


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="no /proc")
def test_only_two_udp_ports_listen_for_a_stream_over_udp() -> None:
    setup = (200, "Session: 1\r\nTransport: RTP/AVP;unicast;server_port=9-9\r\n", b"")
    with opened("rtsp+udp", SETUP=setup) as found:
        ports = sorted(int(address.partition(":")[2], 16) for _, address in found)

        assert {protocol for protocol, _ in found} == {"udp"}
        assert ports == [ports[0], ports[0] + 1]


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="no /proc")
def test_a_description_with_hundreds_of_streams_opens_few_ports() -> None:
    stream = b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
    setup = (200, "Session: 1\r\nTransport: RTP/AVP;unicast;server_port=9-9\r\n", b"")
    with Server(DESCRIBE=described(VIDEO + stream * 200), SETUP=setup) as server:
        assert "more than 16 streams" in try_to_open(server, "rtsp+udp", "SETUP")
        setups = sum(request.startswith("SETUP") for request in server.requests)

    assert setups == control._MOST_TRANSPORTS + 1


def test_the_camera_is_notified_of_the_end_and_nothing_stays_behind() -> None:
    before = set(threading.enumerate())
    setup = (200, "Session: 1\r\nTransport: RTP/AVP;unicast;server_port=9-9\r\n", b"")
    with Server(SETUP=setup) as server:
        open_source(f"rtsp+udp://{server.host}/x", Limits(0.5, 0.5)).close()

        wait_for(lambda: server.requests[-1].startswith("TEARDOWN"), 10, "TEARDOWN")

    wait_for(lambda: set(threading.enumerate()) <= before, 10, "the threads to end")


def test_the_camera_is_left_if_it_says_nothing() -> None:
    before = set(threading.enumerate())
    with socket.create_server(("127.0.0.1", 0)) as server:
        with pytest.raises(CaptureError, match=r"no answer within 0\.3 s"):
            open_source(f"rtsp+udp://127.0.0.1:{server.getsockname()[1]}/x", Limits(0.3, 0.3))

        camera, _ = server.accept()
        with camera:
            camera.settimeout(10)
            assert b"OPTIONS" in camera.recv(4096)
            assert camera.recv(4096) == b""

    wait_for(lambda: set(threading.enumerate()) <= before, 10, "the threads to end")


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="no /proc")
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_another_user_of_this_machine_does_not_get_through(
    family: socket.AddressFamily, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = request.getfixturevalue("ipv6") if family == socket.AF_INET6 else "127.0.0.1"
    mine = os.getuid()
    with socket.create_server((address, 0), family=family) as listener:
        there = socket.create_connection(listener.getsockname()[:2])
        camera, _ = listener.accept()
    with camera:
        camera.settimeout(20)
        monkeypatch.setattr(os, "getuid", lambda: mine + 1)
        relay = Control(there)
        with socket.create_connection(where(relay), 20) as stranger:
            assert stranger.recv(1) == b""
        monkeypatch.undo()
        with socket.create_connection(where(relay), 20) as player:
            player.sendall(b"OPTIONS")

            assert camera.recv(7) == b"OPTIONS"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not list connections in /proc")
@pytest.mark.parametrize("table", ["", "  sl  local_address rem_address   st\n", None])
def test_a_connection_of_which_linux_does_not_say_whose_it_is_does_not_get_through(
    table: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if table is not None:
        (tmp_path / "tcp").write_text(table)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        there = socket.create_connection(listener.getsockname()[:2])
        camera, _ = listener.accept()
    with camera:
        camera.settimeout(20)
        with monkeypatch.context() as patch:
            patch.setitem(control._TABLES, socket.AF_INET, (str(tmp_path / "tcp"), "0100007F"))
            relay = Control(there)
            with socket.create_connection(where(relay), 20) as stranger:
                assert stranger.recv(1) == b""
        with socket.create_connection(where(relay), 20) as player:
            player.sendall(b"OPTIONS")

            assert camera.recv(7) == b"OPTIONS"


def test_the_camera_is_left_if_nothing_can_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    def create_server(*_: object, **__: object) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")

    here, camera = socket.socketpair()
    with camera:
        monkeypatch.setattr(socket, "create_server", create_server)
        monkeypatch.setattr(control, "with_zone", lambda *_: "192.168.1.20")
        with pytest.raises(OSError, match="Too many open files"):
            Control(here)

        assert here.fileno() == -1


@pytest.mark.usefixtures("ipv6")
def test_the_zone_of_a_link_local_camera_is_kept() -> None:
    there, camera = socket.socketpair()
    with camera, LinkLocal(fileno=there.detach()) as here:
        relay = Control(here)
        with socket.create_connection(where(relay)) as player:
            camera.sendall(b"RTSP/1.0 200 OK\r\nTransport: RTP/AVP;server_port=9\r\n\r\n")

            assert b";source=fe80::1%3\r\n" in player.recv(1000)


class LinkLocal(socket.socket):
    """A connection to a camera whose address is only valid on the third interface."""

    family = socket.AF_INET6

    def getpeername(self) -> tuple[str, int, int, int]:
        return "fe80::1", 554, 0, 3


def where(relay: Control) -> Address:
    return Address.parse(relay.host)


def rewritten(text: str) -> bytes:
    """Return a camera's answers, rewritten."""
    return b"".join(answers(BytesIO(text.encode("latin-1")), "192.168.1.20"))


def test_an_answer_is_passed_on_with_its_own_length() -> None:
    text = "RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 3\r\n\r\nabc"

    assert rewritten(text) == b"RTSP/1.0 200 X\r\nCSeq: 2\r\nContent-Length: 3\r\n\r\nabc"


def test_the_transport_is_written_anew() -> None:
    text = (
        "RTSP/1.0 200 OK\r\nTransport: RTP/AVP/UDP;unicast;client_port=1-2;server_port=5000-5001;ssrc=1;"
        "source=10.0.0.1;mode=play\r\n\r\n"
    )

    assert b"Transport: RTP/AVP/UDP;unicast;server_port=5000-5001;source=192.168.1.20\r\n" in rewritten(text)


@pytest.mark.parametrize(
    "text",
    [
        "RTSP/1.0 302 Moved\r\nLocation: rtsp://a/\r\n\r\n",
        "RTSP/1.0 302 Moved\r\n location : rtsp://a/\r\n\r\n",
        "RTSP/1.0 302 Moved\r\nLo\rcation: rtsp://a/\n\n",
        "RTSP/1.0 302 Moved\r\n\0Location: rtsp://a/\n\n",
        "RTSP/1.0 302 Moved\r\n$Location: rtsp://a/\n\n",
        "REDIRECT rtsp://c/ RTSP/1.0\r\nLocation: rtsp://a/\r\n\r\n",
        "$\0\0\x24RTSP/1.0 302 X\r\nLocation: rtsp://a/",
        "\r\n\r\n$\0\0\0\r\n",
    ],
)
def test_what_leads_elsewhere_is_left_out(text: str) -> None:
    assert b"rtsp://" not in rewritten(text)


@pytest.mark.parametrize(
    "text",
    [
        "HTTP/1.1 200 OK\r\n\r\n",
        "RTSP/1.0 OK\r\n",
        "garbage\r\n\r\n",
    ],
)
def test_what_is_not_rtsp_is_refused(text: str) -> None:
    with pytest.raises(ControlError):
        rewritten(text)


def with_status_line_of(length: int) -> str:
    return "RTSP/1.0 200 ".ljust(length - 2, "X") + "\r\n\r\n"


def with_line_of(length: int) -> str:
    return f"RTSP/1.0 200 OK\r\n{'X' * (length - 2)}\r\n\r\n"


def with_lines(count: int) -> str:
    return "RTSP/1.0 200 OK\r\n" + "X: y\r\n" * (count - 1) + "\r\n"


def with_body_of(length: int) -> str:
    return f"RTSP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n{'x' * length}"


def with_streams(count: int) -> str:
    return "RTSP/1.0 200 OK\r\nTransport: RTP/AVP;unicast;server_port=9-9\r\n\r\n" * count


@pytest.mark.parametrize(
    ("answer", "most", "reason"),
    [
        pytest.param(
            with_status_line_of,
            control._LONGEST_LINE,
            "a line of more than 4096 bytes",
            marks=pytest.mark.exceeds("producer.sources.control._LONGEST_LINE"),
        ),
        (with_line_of, control._LONGEST_LINE, "a line of more than 4096 bytes"),
        pytest.param(
            with_lines,
            control._MOST_LINES,
            "more than 100 lines",
            marks=pytest.mark.exceeds("producer.sources.control._MOST_LINES"),
        ),
        pytest.param(
            with_body_of,
            control._LARGEST_BODY,
            "more than 1 MiB",
            marks=pytest.mark.exceeds("producer.sources.control._LARGEST_BODY"),
        ),
        pytest.param(
            with_streams,
            control._MOST_TRANSPORTS,
            "more than 16 streams",
            marks=pytest.mark.exceeds("producer.sources.control._MOST_TRANSPORTS"),
        ),
    ],
)
def test_as_much_as_is_allowed_is_passed_on_and_no_more(
    answer: Callable[[int], str], most: int, reason: str
) -> None:
    assert rewritten(answer(most))
    with pytest.raises(ControlError, match=reason):
        rewritten(answer(most + 1))
