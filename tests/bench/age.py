"""How old a frame is when its bytes are at the client."""

import socket
import statistics
import time
from collections.abc import Iterator

from tests.bench.figures import Figure
from tests.bench.system import System

_SECONDS = 20


def measure(system: System) -> list[Figure]:
    """Return the ages that a prompt and a slow client of the same camera see."""
    prompt = sorted(_ages(system, pause=0.0))
    slow = sorted(_ages(system, pause=0.1))
    beside = f"capture to client, {system.broker}, 1280x720 at 25/s, model of 200 ms, {len(prompt)} frames"
    return [
        Figure("age p50", 1000 * statistics.median(prompt), "ms", beside, goal=20),
        Figure("age p99", 1000 * prompt[int(0.99 * len(prompt))], "ms", beside, goal=80),
        Figure(
            "age worst, slow client", slow[-1], "s", "a client that reads 10 of 25 frames a second", goal=0.4
        ),
    ]


def _ages(system: System, pause: float) -> list[float]:
    """Watch the camera; return the ages in s of the frames, but of the first few, which waited for us."""
    ages = []
    with socket.create_connection((system.host, system.port)) as connection:
        connection.sendall(b"GET /stream/bunny HTTP/1.1\r\nHost: bench\r\n\r\n")
        end = time.monotonic() + _SECONDS
        for captured in _captures(connection):
            ages.append((time.time_ns() - captured) / 1e9)
            time.sleep(pause)
            if time.monotonic() > end:
                break
    return ages[5:]


def _captures(connection: socket.socket) -> Iterator[int]:
    """Yield when each frame was captured, in ns since the epoch, once all of its bytes are here."""
    with connection.makefile("rb", buffering=16_384) as stream:
        length = captured = 0
        for line in stream:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
            elif name.lower() == b"x-captured":
                captured = int(value)
            elif line == b"\r\n" and length:
                stream.read(length)
                yield captured
                length = 0
