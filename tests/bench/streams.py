"""MJPEG to many clients: the video server next to a bare asyncio protocol that writes the same bytes."""

import itertools
import os
import selectors
import socket
import sys
import threading
import time
from functools import partial
from typing import Final

import uvloop

from pipeline.flow.ledger import Ledger
from pipeline.http.connections import Connections
from pipeline.http.server import WebServer, listen
from pipeline.service.values import Address
from pipeline.service.workers import Pulse
from pipeline.wire.frame import Frame
from tests.bench.bare_server import Bare, serve_bare
from tests.bench.figures import Figure, Measured
from tests.bench.pairs import take_turns
from tests.bench.processes import serving, spent
from video.cameras.camera import Limits
from video.cameras.cameras import Cameras
from video.cameras.history import History
from video.http.app import Site
from video.streams.clients import Clients
from video.streams.mjpeg.framing import part

_CLIENTS: Final = 50
_SECONDS: Final = 3.0
_TICK: Final = 0.005  # s between frames: faster than either can send
_JPEG: Final = b"\xff\xd8" + os.urandom(60_000) + b"\xff\xd9"
_FRAME: Final = Frame("bench", 0, 0, _JPEG, 1280, 720)

PER_CORE: Final = Figure("video, MJPEG frames per core", "x", least=0.8)
FIGURES: Final = (PER_CORE,)


def measure() -> list[Measured]:
    """Return the frames per second and core that the video server sends, against the bare protocol."""
    sides = {name: partial(_frames_per_core, name) for name in ("ours", "bare")}
    values = take_turns("streams", sides)
    against = f"bare asyncio protocol: frames of 60 KB per second and core, {_CLIENTS} clients"
    return [PER_CORE.ratio(values["ours"], values["bare"], "/s", against)]


def _frames_per_core(kind: str) -> float:
    with serving("streams", kind) as (server, port):
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(_CLIENTS)]
        for client in clients:
            client.sendall(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.5)
        before = spent(server.pid)
        received = _drain(clients)
        taken = spent(server.pid) - before
        for client in clients:
            client.close()
    return received / len(part(_FRAME)) / taken


def _drain(clients: list[socket.socket]) -> int:
    """Read everything that arrives for some seconds; return the number of bytes."""
    selector = selectors.DefaultSelector()
    for client in clients:
        client.setblocking(False)
        selector.register(client, selectors.EVENT_READ)
    buffer = bytearray(1 << 20)
    received = 0
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        for key, _ in selector.select(0.1):
            assert isinstance(key.fileobj, socket.socket)
            received += key.fileobj.recv_into(buffer)
    selector.close()
    return received


def serve_site(listener: socket.socket, jpeg: bytes, tick: float) -> None:
    """Run the video server, with a camera `bench` that has a frame every `tick` s."""
    cameras = Cameras(Limits(3, 5), Ledger())
    stopping = threading.Event()

    def offer() -> None:
        for seq in itertools.count():
            if stopping.wait(tick):
                return
            cameras.offer("bench", Frame("bench", seq, time.time_ns(), jpeg, 1280, 720))

    threading.Thread(target=offer, daemon=True).start()
    WebServer(
        Site(cameras, 0.001, Clients(10_000, 30), History(500, 1_000_000)),
        listener,
        Connections(10_000, 10_000),
    ).run(Pulse(stopping))


def _main(kind: str, port: str) -> None:
    listener = listen(Address("127.0.0.1", int(port)))
    print("listening", flush=True)
    if kind == "ours":
        serve_site(listener, _JPEG, _TICK)
    else:
        uvloop.run(serve_bare(listener, Bare, lambda _: part(_FRAME), _TICK))


if __name__ == "__main__":
    _main(*sys.argv[1:])
