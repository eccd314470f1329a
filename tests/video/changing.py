"""A video server in this process whose cameras are records of a topic, on librdkafka's own broker."""

import http.client
import json
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from compose.broker import Broker
from pipeline.cameras.seal import Seal
from pipeline.flow.ledger import Ledger
from pipeline.http.server import WebServer, listen
from pipeline.service.values import Address
from pipeline.service.workers import Pulse
from tests.parts import wait_for
from tests.video.conftest import CONNECTIONS, LIMITS, a_site
from tests.video.fakes import Site
from video.cameras.cameras import Cameras
from video.cameras.directory import Directory

LINK = "rtsp://admin:geheim99@192.168.1.20/stream1"
MASKED = "rtsp://admin:***@192.168.1.20/stream1"
ELSEWHERE = {"X-Forwarded-For": "192.0.2.7"}
"""What makes a request one from another machine."""


class Frames:
    """In place of the reader of the frames."""

    def __init__(self) -> None:
        self.partitions = 4
        self.configured: set[str] = set()
        self.forgotten: list[str] = []

    def configure(self, cameras: Collection[str]) -> None:
        """Keep the names."""
        self.configured = set(cameras)

    def forget(self, camera: str) -> None:
        """Keep the name."""
        self.forgotten.append(camera)


class Said(NamedTuple):
    """An answer: its status, its body and its headers."""

    status: int
    body: Any
    headers: http.client.HTTPMessage

    @property
    def detail(self) -> str:
        """The one line of an error."""
        (detail,) = self.body.values()
        assert len(detail.splitlines()) == 1
        return str(detail)


class Changing(Site):
    """The server, the topic that it follows, and what the reader of the frames hears."""

    def __init__(
        self, bootstrap: str, seal: Seal, pulse: Pulse, patience: float = 30, **options: Any
    ) -> None:
        ledger = Ledger()
        cameras = Cameras(LIMITS, ledger, most=options.get("most_cameras", 256))
        self.frames = Frames()
        self.directory = Directory(
            bootstrap,
            "cameras",
            {},
            seal=seal,
            cameras=cameras,
            frames=self.frames,
            fetch_wait=0.005,
            patience=patience,
        )
        self._listener = listen(Address("127.0.0.1", 0))
        web = a_site(cameras, directory=self.directory, schemes=("rtsp", "http"), **options)
        self._server = WebServer(web, self._listener, CONNECTIONS)
        super().__init__(web, ledger, self._listener.getsockname()[1])
        self._pulse = pulse
        self._threads = [
            threading.Thread(target=self._server.run, args=(pulse,), daemon=True),
            threading.Thread(target=self._follow, daemon=True),
        ]

    def start(self) -> None:
        """Begin to serve and to follow the topic."""
        for thread in self._threads:
            thread.start()
        wait_for(lambda: self.cameras._loop, 30, "the server")

    def stop(self) -> None:
        """End."""
        self._pulse.stopping.set()
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()
        self._server.close()
        self.directory.close()
        self.cameras.drop_rest()

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Said:
        """Send JSON, or bytes as they are."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, data, {"Content-Type": "application/json", **headers})
        with connection.getresponse() as answer:
            text = answer.read()
        connection.close()
        return Said(answer.status, json.loads(text) if text else None, answer.headers)

    def names(self, **headers: str) -> list[str]:
        """Return the names of the listed cameras."""
        return [each["name"] for each in self.send("GET", "/api/cameras", **headers).body]

    def _follow(self) -> None:
        while not self._pulse.stopping.is_set():
            self.directory.step()


@contextmanager
def changing(broker: Broker, seal: Seal | None = None, **options: Any) -> Iterator[Changing]:
    """Serve cameras of the broker's topic."""
    site = Changing(broker.bootstrap, seal or Seal(), Pulse(threading.Event()), **options)
    site.start()
    wait_for(lambda: site.directory.unready() is None, 30, "the topic")
    try:
        yield site
    finally:
        site.stop()


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for a condition."""
    wait_for(condition, 30, what)
