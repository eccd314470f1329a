"""The minimum that a server of pictures can do: the video server is measured against it."""

import asyncio
import itertools
import socket
from collections.abc import Callable
from typing import Any


class Bare(asyncio.Protocol):
    """A client's connection: a header, then each frame, if the client keeps up."""

    head = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n--frame\r\n"

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
        """Write a chunk, unless the buffer is full."""
        if not self._paused:
            self._transport.write(chunk)


async def serve_bare(
    listener: socket.socket, kind: type[Bare], chunk: Callable[[int], bytes], tick: float
) -> None:
    """Write `chunk(number)` to all clients, for numbers from 0, one every `tick` s."""
    clients: set[Bare] = set()
    await asyncio.get_running_loop().create_server(lambda: kind(clients), sock=listener)
    for number in itertools.count():
        await asyncio.sleep(tick)
        made = chunk(number)
        for client in clients:
            client.show(made)
