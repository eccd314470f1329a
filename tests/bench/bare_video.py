"""The bare side of the video server: frames from Kafka, written to raw connections.

`python -m tests.bench.bare_video BOOTSTRAP TOPIC PORT`, a dot to standard output for each frame. A client
names its camera in its request, as with the video server, and gets each frame unless its buffer is full.
"""

import asyncio
import os
import sys
import threading
from collections import defaultdict

import uvloop
from confluent_kafka import Message

from pipeline.http.server import listen
from pipeline.service.values import Address
from tests.bench.bare import messages
from tests.bench.bare_server import Bare


class _Client(Bare):
    def __init__(self, cameras: "dict[bytes, set[Bare]]") -> None:
        super().__init__(set())
        self._cameras = cameras

    def data_received(self, data: bytes) -> None:
        """Take the request, which comes in one piece: GET /stream/NAME HTTP/1.1."""
        self._clients = self._cameras[data.split(b" ")[1].rpartition(b"/")[2]]
        self._clients.add(self)


def _part(message: Message) -> bytes:
    jpeg, headers = message.value() or b"", dict(message.headers() or [])
    head = b"Content-Type: image/jpeg\r\nContent-Length: %d\r\nX-Seq: %b\r\nX-Captured: %b\r\n\r\n"
    return b"".join((head % (len(jpeg), headers["seq"], headers["captured"]), jpeg, b"\r\n--frame\r\n"))


async def _serve(bootstrap: str, topic: str, port: str) -> None:
    cameras: defaultdict[bytes, set[Bare]] = defaultdict(set)
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: _Client(cameras), sock=listen(Address("127.0.0.1", int(port))))

    def show(message: Message) -> None:
        chunk = _part(message)
        for client in cameras[message.key() or b""]:
            client.show(chunk)
        os.write(1, b".")

    def read() -> None:
        for message in messages(bootstrap, topic):
            loop.call_soon_threadsafe(show, message)

    threading.Thread(target=read, daemon=True).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve(*sys.argv[1:]))
