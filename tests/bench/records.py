"""Cameras as data: how long the API takes to list and to change 200 that send no frames."""

import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Final

from compose.broker import Broker
from pipeline.access.write_token import WriteAccess
from pipeline.cameras.record import CameraRecord
from pipeline.cameras.seal import Seal, new_key
from pipeline.service.workers import Pulse
from tests.bench.figures import Figure, Measured
from tests.bench.pairs import rounds
from tests.parts import wait_for
from tests.video.changing import LINK, Changing

_CAMERAS: Final = 200
_REQUESTS: Final = 100

LIST: Final = Figure("list of 200 cameras, slowest of 100", "ms", most=100)
CHANGE: Final = Figure("change of one of 200 cameras, slowest of 100", "ms", most=100)
PAGE: Final = Figure("page with 200 cameras, slowest of 100", "ms", most=100)
FIGURES: Final = (LIST, CHANGE, PAGE)


def measure() -> list[Measured]:
    """Return the times over loopback, with encrypted links; a change is stored in librdkafka's broker."""
    seal = Seal([new_key()])
    writes = WriteAccess("a-token-of-24-characters")
    with Broker({"cameras": 1}) as broker:
        site = Changing(broker.bootstrap, seal, Pulse(threading.Event()), writes=writes)
        site.start()
        try:
            for number in range(_CAMERAS):
                record = CameraRecord(link=seal.close(LINK), group=f"group {number % 5}")
                site.directory._topic.put(f"camera {number}", record)
            wait_for(lambda: len(site.names()) == _CAMERAS, 60, "the cameras")
            number = len(list(rounds("records", 3)))
            listed = [_slowest(lambda _: _get(site, "/api/cameras")) for _ in range(number)]
            changed = [_slowest(lambda each: _change(site, each)) for _ in range(number)]
            page = [_slowest(lambda _: _get(site, "/", Accept="text/html")) for _ in range(number)]
        finally:
            site.stop()
    about = f"{number} times {_REQUESTS} requests"
    return [LIST.alone(listed, about), CHANGE.alone(changed, about), PAGE.alone(page, about)]


def _slowest(ask: Callable[[int], None]) -> float:
    """Return how long the slowest request took, in ms."""
    times = []
    for number in range(_REQUESTS):
        begun = time.perf_counter()
        ask(number)
        times.append(1000 * (time.perf_counter() - begun))
    return max(times)


def _get(site: Changing, path: str, **headers: str) -> None:
    connection = HTTPConnection("127.0.0.1", site.port, timeout=30)
    connection.request("GET", path, headers=headers)
    with connection.getresponse() as answer:
        answer.read()
    connection.close()
    assert answer.status == 200


def _change(site: Changing, number: int) -> None:
    said = site.send("PUT", f"/api/cameras/camera%20{number}", {"group": str(time.monotonic())})
    assert said.status == 200
