"""The system behind most figures: a 1280x720 clip at 25/s, and a model that takes 200 ms."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from time import sleep
from typing import Any, Final
from urllib.parse import urlsplit

from tests.bench import clips
from tests.bench.topics import short_lived
from tests.integration.conftest import Pipeline
from tests.parts import Service, embedded_broker, wait_for

CAMERA: Final = "bunny"
_ANSWER = json.dumps({"predictions": [{"classes": 1, "probabilities": [0.0, 1.0]}]}).encode()


class _SlowModel(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        sleep(0.2)
        self.send_response(200)
        self.send_header("Content-Length", str(len(_ANSWER)))
        self.end_headers()
        self.wfile.write(_ANSWER)

    def log_message(self, *_: Any) -> None:
        pass


@dataclass(frozen=True, slots=True)
class System:
    """The running services, their topics, and the video server's address."""

    bootstrap: str
    topic_in: str
    topic_out: str
    producer: Service
    consumer: Service
    video: Service
    address: tuple[str, int]

    @property
    def services(self) -> dict[str, Service]:
        """The services by their names."""
        return {"producer": self.producer, "consumer": self.consumer, "video": self.video}


def broker_kind() -> str:
    """Return the kind of broker that the figures are measured with."""
    return "real Kafka" if "KAFKA_BOOTSTRAP" in os.environ else "embedded broker"


@contextmanager
def broker(folder: Path) -> Iterator[str]:
    """Yield the address of the Kafka at `KAFKA_BOOTSTRAP`, or otherwise of an embedded broker."""
    if address := os.environ.get("KAFKA_BOOTSTRAP"):
        yield address
        return
    with embedded_broker(folder) as (address, _):
        yield address


@contextmanager
def slow_model() -> Iterator[str]:
    """Yield the URL of a model that takes 200 ms for its one answer."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _SlowModel)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1/models/slow:predict"
    server.shutdown()
    server.server_close()


@contextmanager
def running(source: Path | str = "") -> Iterator[System]:
    """Start the system with one camera, by default the clip; it shows frames when the block begins."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        bootstrap = stack.enter_context(broker(folder))
        model = stack.enter_context(slow_model())
        pipeline = Pipeline(bootstrap, folder, stack.enter_context)
        topics = pipeline.topic_in, pipeline.topic_out
        stack.enter_context(short_lived(bootstrap, *topics))
        video = pipeline.video()
        consumer = pipeline.consumer(model)
        producer = pipeline.producer(CAMERA, source or clips.path())
        wait_for(lambda: pipeline.camera(CAMERA).get("seq", 0) > 100, 60, "frames")
        address = urlsplit(pipeline.display)
        site = (address.hostname or "", address.port or 0)
        yield System(bootstrap, *topics, producer, consumer, video, site)
