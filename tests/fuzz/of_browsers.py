"""What browsers send: messages on the WebSocket, headers, and whole connections."""

import asyncio
import logging
import socket
from collections.abc import Sequence
from contextlib import suppress
from functools import cache, partial
from typing import Any, Final
from unittest import mock

import uvicorn
from uvicorn.server import ServerState

from pipeline.access import embedding, next_url, origin, token
from pipeline.access.device import Devices, cookie_name
from pipeline.access.hosts import Hosts, explain, parse_hosts
from pipeline.access.login_guard import Passwords
from pipeline.access.logouts import Logout, Logouts
from pipeline.access.session import COOKIE, Sessions
from pipeline.access.users import Users
from pipeline.access.users_file import User, UsersFile
from pipeline.flow.ledger import Ledger
from pipeline.http.connections import Connections
from pipeline.http.expiry import expiry
from pipeline.http.protocol import HttpProtocol
from pipeline.http.websocket import WebSocketProtocol
from pipeline.service.networks import network_of
from pipeline.wire.frame import is_name
from video.api.moments import milliseconds
from video.cameras.camera import Limits
from video.cameras.cameras import Cameras
from video.cameras.history import History
from video.http.app import Site
from video.streams.clients import Clients
from video.streams.socket import wire

_NOW: Final = 1_800_000_000
_LOGOUT: Final = Logout("ann", _NOW, "id")
_TOKEN: Final = "sl_token"


def socket_message(data: bytes) -> None:
    """Read a browser's message."""
    wrong, message = None, None
    with suppress(UnicodeDecodeError):
        text = data.decode()
        try:
            message = wire.parse(text)
        except wire.MessageError as error:
            wrong = error
    if wrong is not None:
        assert wrong.code in {wire.NOT_JSON, wire.WRONG_FORM}
        assert len(str(wrong)) <= 123  # bytes of a close frame's reason
    match message:
        case wire.Watch(cameras):
            assert len(cameras) <= 1024
            assert all(map(is_name, cameras))
            assert all(type(width) is int and 0 <= width <= 65_535 for width in cameras.values())
        case wire.Ack(camera, number):
            assert 0 <= camera <= 0xFFFF
            assert 0 <= number <= 0xFFFFFFFF
        case wire.Time(echo):
            assert 0 <= echo <= 1e15


def cookies(data: bytes) -> None:
    """Read a Cookie header, a token, and a record of a logout; only what was signed counts."""
    text = data.decode("latin-1")
    sessions, devices = _sessions(), Devices(_users(), lambda: _NOW)
    ours = f"{COOKIE}={sessions.begin('ann', _user())}"
    session = sessions.find(text)
    assert session is None or session.name == "ann"
    assert (devices.find("ann", text) == "") or cookie_name("ann") in text
    assert f"{COOKIE}=" in text or sessions.find(f"{text}; {ours}") is not None
    bearer = token.find(_users(), text)
    assert bearer is None or _TOKEN in text or text[:5].lower() == "basic"
    logouts = sessions.logouts
    assert logouts.decode(logouts.key(_LOGOUT), data) in {None, _LOGOUT}


def headers(data: bytes) -> None:
    """Read Host, Origin, X-Forwarded-Host and an address after a login; the first byte chooses one."""
    text = data[1:].decode("latin-1")
    pairs = [(b"host", b"cams.example"), (b"origin", data[1:]), (b"x-forwarded-host", data[1:])]
    if Hosts(("cams.example",)).allow([text]):
        name = text.lower().rpartition(":")[0] or text.lower()
        assert not name.removesuffix(".").endswith("evil.example")
    assert len(explain([text])) < 500
    assert "\n" not in explain([text])
    found = embedding.parse_origin(text)
    assert embedding.parse_origin(found) == found
    for scheme in "http", "https":
        if not origin.same(pairs, scheme):
            assert len(origin.explain(pairs, ("192.0.2.1", 1), scheme)) < 3000
    if next_url.is_local(text, "/cameras"):
        assert text.startswith("/cameras/")
    network_of(text)
    with suppress(ValueError):
        parse_hosts(text)
    with suppress(ValueError):
        milliseconds(text)
    with suppress(ValueError):
        expiry(data)


def connection(data: bytes) -> None:
    """Speak HTTP, or a WebSocket, with the server. The bytes 0xFE 0xFE separate what comes at once."""
    _loop().run_until_complete(_connect(data.split(b"\xfe\xfe")))


def connections() -> Sequence[bytes]:
    """Return valid requests, and a handshake with frames."""
    ask = b"GET %s HTTP/1.1\r\nHost: localhost\r\nCookie: a=b\r\nAuthorization: Bearer sl_token\r\n\r\n"
    form = b"name=ann&password=x&next=%2Fstream"
    kind = b"Content-Type: application/x-www-form-urlencoded"
    upgrade = (
        b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c3RyZWFtbGVucy1zdHJlYQ==\r\n"
        b"Authorization: Bearer sl_token\r\n\r\n"
    )
    watch, ack = b'{"type":"watch","cameras":{"door":640}}', b'{"type":"ack","id":1,"number":1}'
    paths = (
        b"/",
        b"/stream/door?wait=1ms",
        b"/snapshot/door.jpg",
        b"/api/cameras/door",
        b"/api/labels?camera=door&label=tie&from=2026-11-21T19:00:00Z&to=1795290407&limit=1",
        b"/api/events/17.jpg?width=64",
        b"/login?next=/stream",
        b"/api/openapi.json",
    )
    return [
        *(ask % path for path in paths),
        b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n%s\r\n\r\n%s" % (len(form), kind, form),
        b"POST /logout HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        b"\xfe\xfe".join(
            [upgrade, *(_frame(1, text) for text in (watch, ack)), _frame(9, b"x"), _frame(8, b"")]
        ),
        upgrade + b"\xfe\xfe\x01\x80\0\0\0\0\x80\x80\0\0\0\0",
    ]


def socket_messages() -> Sequence[bytes]:
    """Return one message of each kind."""
    return [
        b'{"type": "watch", "cameras": {"door": 640, "yard": 0.5}}',
        b'{"type": "ack", "id": 3, "number": 17}',
        b'{"type": "time", "echo": 12345.6}',
    ]


def cookie_headers() -> Sequence[bytes]:
    """Return valid headers and records."""
    sessions = _sessions()
    return [
        f"a=b; {COOKIE}={sessions.begin('ann', _user())}".encode(),
        f"{cookie_name('ann')}={Devices(_users(), lambda: _NOW).issue('ann')}; c=d".encode(),
        f"Bearer {_TOKEN}".encode(),
        b"Basic YW5uOnNsX3Rva2Vu",
        sessions.logouts.encode(_LOGOUT),
    ]


def header_values() -> Sequence[bytes]:
    """Return values of each kind."""
    texts = [
        "cams.example:443",
        "[::1]:8080",
        "https://cams.example:8123/a?b",
        "/cameras/stream?a=b",
        "evil.example",
        "2026-11-21T19:00:00Z",
        "1795290407",
        "a.example,*.b.example",
    ]
    return [b"\0" + text.encode() for text in texts]


def _frame(opcode: int, payload: bytes) -> bytes:
    return bytes([0x80 | opcode, 0x80 | len(payload), 0, 0, 0, 0]) + payload


@cache
def _user() -> User:
    password = (
        "$argon2id$v=19$m=19456,t=2,p=1$FHwOLy21PtxS2gCC8m08sg$HEPfEQb3sznpHQWBdH7O3I4LS26NJzOonVDixvhazek"
    )
    return User(password=password, cameras=["*"], tokens={"player": token.digest(_TOKEN)})


@cache
def _users() -> Users:
    content = UsersFile(secret="s" * 32, users={"ann": _user()})
    with mock.patch("pipeline.access.users.read", return_value=content):
        return Users(mock.Mock(stat=mock.Mock(side_effect=OSError)))


@cache
def _sessions() -> Sessions:
    logouts = Logouts(_users(), lambda: _NOW)
    logouts.are_known = True
    return Sessions(_users(), 3600, logouts, lambda: _NOW)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(_fail)
    logging.getLogger("uvicorn.error").addHandler(_Errors(logging.ERROR))
    return loop


def _fail(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    _FAULTS.append(context)


class _Errors(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _FAULTS.append({"record": record.getMessage(), "exception": record.exc_info})


_FAULTS: Final[list[dict[str, Any]]] = []


class _Transport(asyncio.Transport):
    """The server's end of a connection that keeps what is written."""

    def __init__(self, end: socket.socket) -> None:
        super().__init__({"socket": end, "peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written = b""
        self._closing = False

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self._closing = True

    abort = close

    def is_closing(self) -> bool:
        return self._closing

    def pause_reading(self) -> None:
        pass

    resume_reading = pause_reading

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol: Any = protocol


@cache
def _config() -> uvicorn.Config:
    cameras = Cameras(Limits(3, 5), Ledger())
    site = Site(cameras, 0.001, Clients(1000, 30), History(500, 1_000_000), sessions=_sessions())
    config = uvicorn.Config(
        site.app,
        ws=WebSocketProtocol,
        ws_max_size=64 * 1024,
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        lifespan="off",
    )
    config.load()
    return config


async def _connect(pieces: Sequence[bytes]) -> None:
    """Send each piece once the server has taken the one before; then leave."""
    here, there = socket.socketpair()
    with here, there:
        transport, state = _Transport(there), ServerState()
        make = partial(HttpProtocol, Connections(1000, 1000))
        protocol: Any = make(
            config=_config(), server_state=state, app_state={}, _loop=asyncio.get_running_loop()
        )
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        with mock.patch.object(Passwords, "check", _wrong):
            for piece in pieces:
                if not transport.is_closing():
                    transport.protocol.data_received(piece)
                for _ in range(20):
                    await asyncio.sleep(0)
            transport.protocol.connection_lost(None)
            if state.tasks:
                await asyncio.wait(state.tasks, timeout=5)
        assert not state.tasks, "a request did not end with its connection"
        assert not state.connections
        assert transport.written[:9] in {b"", b"HTTP/1.1 "}
    assert not _FAULTS, _FAULTS


async def _wrong(*_: object) -> None:
    return None
