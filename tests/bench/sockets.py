"""A thousand sockets on one camera, next to a bare asyncio protocol that writes the same bytes."""

import json
import os
import selectors
import socket
import sys
import time
from collections.abc import Iterator
from functools import partial
from typing import Final

import uvloop

from pipeline.http.server import allow_files, listen
from pipeline.service.values import Address
from tests.bench.bare_server import Bare, serve_bare
from tests.bench.figures import Figure, Measured
from tests.bench.pairs import take_turns
from tests.bench.processes import serving, spent
from tests.bench.streams import serve_site
from video.streams.socket.wire import PICTURE, picture

_CLIENTS: Final = 1_000
_SECONDS: Final = 2.0
_TICK: Final = 0.2  # s between frames: enough for both to serve all clients
_JPEG: Final = b"\xff\xd8" + os.urandom(20_000) + b"\xff\xd9"
_UPGRADE: Final = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)

PICTURE_FOR_ALL: Final = Figure("video, a picture for 1,000 sockets", "x")
FIGURES: Final = (PICTURE_FOR_ALL,)


def measure() -> list[Measured]:
    """Return the cost of one frame for all clients in the video server, against the bare protocol."""
    allow_files()
    values = take_turns("sockets", {name: partial(_cost, name) for name in ("ours", "bare")})
    against = "bare asyncio protocol without acknowledgements; 20 KB per picture, all of one camera"
    return [PICTURE_FOR_ALL.ratio(values["ours"], values["bare"], "ms", against)]


def _cost(kind: str) -> float:
    """Return the processor time in ms that a frame takes the server."""
    with serving("sockets", kind) as (server, port):
        clients = [_Client(port) for _ in range(_CLIENTS)]
        _read(clients, 1.0)
        before, begun = spent(server.pid), sum(client.pictures for client in clients)
        _read(clients, _SECONDS)
        taken = spent(server.pid) - before
        pictures = sum(client.pictures for client in clients) - begun
        for client in clients:
            client.socket.close()
    return 1000 * _CLIENTS * taken / pictures


class _Client:
    """The minimum of a browser: it counts the pictures, and acknowledges each."""

    def __init__(self, port: int) -> None:
        self.pictures = 0
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.sendall(_UPGRADE)
        self._buffer = b""
        while b"\r\n\r\n" not in self._buffer:
            self._buffer += self.socket.recv(1 << 16)
        self._buffer = self._buffer.partition(b"\r\n\r\n")[2]
        self.socket.sendall(_said({"type": "watch", "cameras": {"bench": 0}}))

    def take(self, data: bytes) -> None:
        """Read whole messages, and keep the rest."""
        self._buffer += data
        for payload in self._messages():
            if payload[:1] == b"\x01":
                self.pictures += 1
                _, _, camera, number, *_ = PICTURE.unpack_from(payload)
                self.socket.sendall(_said({"type": "ack", "id": camera, "number": number}))

    def _messages(self) -> Iterator[bytes]:
        while len(self._buffer) > 4:
            length = self._buffer[1]
            at = 2
            if length == 126:
                length, at = int.from_bytes(self._buffer[2:4]), 4
            if len(self._buffer) < at + length:
                return
            yield self._buffer[at : at + length]
            self._buffer = self._buffer[at + length :]


def _said(message: dict[str, object]) -> bytes:
    """Return a browser's message, with a mask of zeros, which changes nothing."""
    payload = json.dumps(message).encode()
    return bytes((0x81, 0x80 | len(payload), 0, 0, 0, 0)) + payload


def _read(clients: list[_Client], seconds: float) -> None:
    selector = selectors.DefaultSelector()
    for client in clients:
        selector.register(client.socket, selectors.EVENT_READ, client)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for key, _ in selector.select(0.1):
            key.data.take(key.data.socket.recv(1 << 20))
    selector.close()


class _BareSocket(Bare):
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


def _picture(number: int) -> bytes:
    return picture(_JPEG, scale=1, camera=1, number=number, seq=number, captured=0, width=1280, height=720)


def _main(kind: str, port: str) -> None:
    listener = listen(Address("127.0.0.1", int(port)))
    print("listening", flush=True)
    if kind == "ours":
        serve_site(listener, _JPEG, _TICK)
    else:
        uvloop.run(serve_bare(listener, _BareSocket, _picture, _TICK))


if __name__ == "__main__":
    allow_files()
    _main(*sys.argv[1:])
