"""MJPEG to many clients: the video server beside a bare asyncio protocol that writes the same bytes."""

import asyncio
import itertools
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import psutil
import uvloop

from pipeline.frame import Frame
from pipeline.ledger import Ledger
from pipeline.service import Pulse
from pipeline.settings import Address
from tests.bench.figures import Figure
from tests.parts import ROOT, free_port
from video.board import Board
from video.channel import Limits
from video.clients import Clients
from video.history import History
from video.mjpeg import FIRST, part
from video.server import WebServer, listen
from video.site import Site

_CLIENTS = 50
_SECONDS = 6.0
_ROUNDS = 5
_TICK = 0.005
_JPEG = b"\xff\xd8" + os.urandom(60_000) + b"\xff\xd9"
_FRAME = Frame("bench", 0, 0, _JPEG, 1280, 720)


def measure() -> list[Figure]:
    """Return how many frames a second and core the video server sends, against the bare protocol."""
    rounds = [(_frames_per_core("ours"), _frames_per_core("bare")) for _ in range(_ROUNDS)]
    ratio = statistics.median(ours / bare for ours, bare in rounds)
    bare = statistics.median(bare for _, bare in rounds)
    beside = f"bare asyncio protocol: {bare:,.0f} frames of 60 KB a second and core, {_CLIENTS} clients"
    return [Figure("video, frames per core", ratio, "x", beside, least=0.5)]


def _frames_per_core(kind: str) -> float:
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.streams", kind, str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        server.stdout.readline()
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(_CLIENTS)]
        for client in clients:
            client.sendall(b"GET /stream HTTP/1.1\r\nHost: bench\r\n\r\n")
        time.sleep(0.5)
        times = psutil.Process(server.pid).cpu_times
        before = sum(times()[:2])
        received = _drain(clients)
        spent = sum(times()[:2]) - before
        server.terminate()
        for client in clients:
            client.close()
    return received / len(part(_FRAME)) / spent


def _drain(clients: list[socket.socket]) -> int:
    """Read all that comes for some seconds; return the bytes."""
    import selectors

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
    """Run the video server, with a camera `bench` that has a frame each `tick` s."""
    board = Board(Limits(3, 5), Ledger())
    stopping = threading.Event()

    def offer() -> None:
        for seq in itertools.count():
            if stopping.wait(tick):
                return
            board.offer("bench", Frame("bench", seq, time.time_ns(), jpeg, 1280, 720))

    threading.Thread(target=offer, daemon=True).start()
    WebServer(Site(board, 0.001, Clients(10_000, 30), History(500, 1_000_000)), listener).run(Pulse(stopping))


class Bare(asyncio.Protocol):
    """The least that a server can do: a header, then each frame to whoever keeps up."""

    head = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n" + FIRST

    def __init__(self, clients: "set[Bare]") -> None:
        self._clients = clients
        self._paused = False

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(self.head)
        self._clients.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._clients.discard(self)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False

    def show(self, chunk: bytes) -> None:
        """Write a chunk, if there is room."""
        if not self._paused:
            self._transport.write(chunk)


async def serve_bare(
    listener: socket.socket, kind: type[Bare], chunk: Callable[[int], bytes], tick: float
) -> None:
    """Write `chunk` of each number, from 0, to all clients, one each `tick` s."""
    clients: set[Bare] = set()
    await asyncio.get_running_loop().create_server(lambda: kind(clients), sock=listener)
    for number in itertools.count():
        await asyncio.sleep(tick)
        made = chunk(number)
        for client in clients:
            client.show(made)


def _main(kind: str, port: str) -> None:
    listener = listen(Address("127.0.0.1", int(port)))
    print("listening", flush=True)
    if kind == "ours":
        serve_site(listener, _JPEG, _TICK)
    else:
        uvloop.run(serve_bare(listener, Bare, lambda _: part(_FRAME), _TICK))


if __name__ == "__main__":
    _main(*sys.argv[1:])
