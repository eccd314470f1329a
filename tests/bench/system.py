"""The system that most figures are read off: a 1280x720 clip at 25/s, and a model that takes 200 ms."""

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
from typing import Any
from urllib.parse import urlsplit

from tests.integration.conftest import Pipeline
from tests.parts import Service, embedded_broker, wait_for

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
    """The running services; `broker` says of which kind the broker is."""

    broker: str
    producer: Service
    consumer: Service
    video: Service
    host: str
    port: int


@contextmanager
def running(clip: Path) -> Iterator[System]:
    """Start the system, on the Kafka at `KAFKA_BOOTSTRAP` or else on the embedded broker."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        bootstrap, broker = os.environ.get("KAFKA_BOOTSTRAP"), "real Kafka"
        if bootstrap is None:
            bootstrap, broker = stack.enter_context(embedded_broker(folder))[0], "embedded broker"
        model = ThreadingHTTPServer(("127.0.0.1", 0), _SlowModel)
        stack.callback(model.shutdown)
        Thread(target=model.serve_forever, daemon=True).start()

        pipeline = Pipeline(bootstrap, folder, stack.enter_context)
        video = pipeline.video()
        consumer = pipeline.consumer(f"http://127.0.0.1:{model.server_port}/v1/models/slow:predict")
        producer = pipeline.producer("bunny", clip)
        wait_for(lambda: pipeline.camera("bunny").get("seq", 0) > 100, 60, "frames")
        address = urlsplit(pipeline.display)
        yield System(broker, producer, consumer, video, address.hostname or "", address.port or 0)
