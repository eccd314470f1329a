"""Stand-ins for what surrounds the consumer: Kafka, a model, a model server, the clock."""

import json
import socket
import threading
import time
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace, TracebackType
from typing import Any, Final, Self, cast

import numpy as np
from confluent_kafka import KafkaError, KafkaException, Producer
from hypothesis import settings

from consumer.labels.sources import LabelSource
from pipeline.model_server import connection, rest_client
from pipeline.model_server.login import NO_LOGIN, Login
from pipeline.model_server.url import ModelUrl
from pipeline.wire import picture
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Prediction
from tests.clock import SECOND

PROPERTY: Final = settings(deadline=None)
"""How the properties run: without a limit of time, with the examples of the profile."""


BROKEN: Final = (
    b"\xff\xd8\xff\xc0\x00\x11\x08\x00\x10\x00\x10\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"
    + b"\xff\xda\x00\x0c\x03\x01\x00\x02\x11\x03\x11\x00\x3f\x00"
    + bytes(20)
    + b"\xff\xd9"
)
"""It has the markers of a JPEG of 16 x 16 pixels, but no tables, and so no picture."""


def grey(width: int = 64, height: int = 48) -> bytes:
    """Return a JPEG of one colour."""
    return picture.encode(np.full((height, width, 3), 90, np.uint8), 90)


def a_frame(
    seq: int = 1, *, camera: str = "door", captured: int = 5 * SECOND, jpeg: bytes | None = None
) -> Frame:
    """Return a frame of 64 x 48 pixels."""
    return Frame(camera, seq, captured, grey() if jpeg is None else jpeg, 64, 48)


def fixed_labels(*names: str) -> LabelSource:
    """Return labels that are there from the start."""
    labels = LabelSource("imagenet_1", "labels.json", lambda *_: (json.dumps(names).encode(), None), 1e9)
    labels.refresh()
    return labels


class FakeProducer:
    """Takes messages as librdkafka does: into a queue of `capacity`, delivered when polled."""

    def __init__(self, capacity: int = 64) -> None:
        self.capacity = capacity
        self.delivers = True
        self.polls = 0
        self.queue: list[dict[str, Any]] = []
        self.sent: list[dict[str, Any]] = []
        self.topic_trouble: KafkaException | KafkaError | None = None

    def list_topics(self, topic: str, timeout: float) -> SimpleNamespace:
        """Return what the broker says about a topic."""
        assert timeout <= 1
        if isinstance(self.topic_trouble, KafkaException):
            raise self.topic_trouble
        return SimpleNamespace(topics={topic: SimpleNamespace(error=self.topic_trouble)})

    def produce(self, topic: str, **message: Any) -> None:
        """Queue a message, or raise BufferError."""
        if len(self.queue) >= self.capacity:
            raise BufferError
        self.queue.append({"topic": topic, **message})

    def poll(self, _: float) -> None:
        """Deliver what is queued."""
        self.polls += 1
        if self.delivers:
            self._report(None)

    def purge(self, **_: bool) -> None:
        """Give up what is queued."""
        self._report(KafkaError(KafkaError._PURGE_QUEUE))

    def fail(self, code: int) -> None:
        """Report that what is queued was not delivered."""
        self._report(KafkaError(code))

    def flush(self, _: float) -> int:
        """Deliver what is queued; return how much is left."""
        self.poll(0)
        return len(self.queue)

    def _report(self, error: KafkaError | None) -> None:
        queue, self.queue = self.queue, []
        for message in queue:
            if error is None:
                self.sent.append(message)
            if "on_delivery" in message:
                message["on_delivery"](error, None)

    @property
    def kafka(self) -> Producer:
        """The same, with the type that it stands in for."""
        return cast("Producer", self)


class FakeModel:
    """Answers with a given prediction about each camera, and remembers what it was offered."""

    def __init__(self, prediction: Prediction) -> None:
        self.name = prediction.model
        self.offered: list[Frame] = []
        self.late: list[Frame] = []
        self.forgotten: list[str] = []
        self._prediction = prediction

    def offer(self, frame: Frame) -> None:
        """Remember a frame."""
        self.offered.append(frame)

    def pass_by(self, frame: Frame) -> None:
        """Remember a frame that is too old."""
        self.late.append(frame)

    def prediction(self, _: str) -> Prediction:
        """Return the given prediction."""
        return self._prediction

    def forget(self, camera: str) -> None:
        """Remember which camera was forgotten."""
        self.forgotten.append(camera)


class Request(BaseHTTPRequestHandler):
    """A request to a `ScriptedServer`; `released` is for its answer to wait on."""

    protocol_version = "HTTP/1.1"
    released: threading.Event


Answer = Callable[[Request, bytes], None]
"""What a `ScriptedServer` does with a request and its body."""


def reply(status: int, body: bytes) -> Answer:
    """Answer with a status and a body."""

    def answer(request: Request, _: bytes) -> None:
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer


def hang(request: Request, _: bytes) -> None:
    """Do not answer until the server is released."""
    request.released.wait(60)
    request.close_connection = True


class ScriptedServer:
    """A real HTTP server that gives one scripted answer after another, the last one again and again.

    `connections` and `bodies` have the connection and the body of each request. Answers can wait for
    `released`, which is set at the end.
    """

    def __init__(self, *answers: Answer, port: int = 0) -> None:
        self.bodies: list[bytes] = []
        self.connections: list[int] = []
        self.released = threading.Event()
        self._open: list[socket.socket] = []
        self._answers: Sequence[Answer] = answers
        outer = self

        class Handler(Request):
            released = self.released

            def setup(self) -> None:
                super().setup()
                outer._open.append(self.connection)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                number = len(outer.bodies)
                outer.bodies.append(body)
                outer.connections.append(int(self.client_address[1]))
                try:
                    outer._answers[min(number, len(outer._answers) - 1)](self, body)
                    self.wfile.flush()
                except OSError:  # the client has gone, as in many of these tests
                    self.close_connection = True

            do_GET = do_POST  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *_: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: object, ___: TracebackType | None) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def close_connections(self) -> None:
        """Close all connections, as at the end of a process, but accept new ones."""
        for each in self._open:
            each.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    @property
    def base(self) -> str:
        """Its URL without a path."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """The URL of its model."""
        return f"{self.base}/v1/models/imagenet:predict"


OPENED: Final = list[connection.Connection | rest_client.RestClient]()
"""The connections and clients that a test made, to be closed at its end."""


class Connection(connection.Connection):
    """A connection that is closed at the end of the test."""

    def __init__(
        self,
        base: str,
        timeout: float,
        login: Login = NO_LOGIN,
        reconnected: Callable[[], object] = lambda: None,
    ) -> None:
        super().__init__(base, timeout, login, reconnected)
        OPENED.append(self)


class Client(rest_client.RestClient):
    """A client that is closed at the end of the test."""

    def __init__(
        self,
        url: str,
        timeout: float,
        *,
        by_version: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(ModelUrl.parse(url), timeout, by_version=by_version, clock=clock)
        OPENED.append(self)
