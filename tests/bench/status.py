"""What a video server with 200 cameras answers about them: how long `/api/status`, metrics and ledger take.

All cameras send frames, and ten other processes report every two seconds. A bare answer of the same
process shows what else the machine does: both are asked for in turns.
"""

import itertools
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import urlsplit

from confluent_kafka import Producer

from pipeline.wire import figures, status
from pipeline.wire.figures import FIGURES_EVERY, CameraFigures, Dropped, Figures
from pipeline.wire.frame import encode
from pipeline.wire.predictions import Prediction, Result
from pipeline.wire.status import Status, Subject
from tests.bench.figures import Figure, Measured
from tests.bench.pairs import rounds
from tests.bench.system import broker, broker_kind
from tests.integration.conftest import Pipeline
from tests.parts import wait_for
from tests.video.fakes import a_frame

_CAMERAS: Final = tuple(f"camera {number}" for number in range(200))
_REPLICAS: Final = 5  # of producers, and of consumers
_REQUESTS: Final = 100
_OF_A_CAMERA: Final = CameraFigures(
    25.0, 24.5, 0.04, {"replaced": Dropped(17, 0.5), "missed": Dropped(3, 0.0)}
)
_ANSWERS: Final = ("/api/status", "/metrics", "/ledger/runs")

MEDIAN: Final = {path: Figure(f"{path} of 200 cameras, median of 100", "ms") for path in _ANSWERS}
SLOWEST: Final = {path: Figure(f"{path} of 200 cameras, slowest of 100", "ms", most=100) for path in _ANSWERS}
FIGURES: Final = tuple(each[path] for path in _ANSWERS for each in (MEDIAN, SLOWEST))


def measure() -> list[Measured]:
    """Return the times over loopback of a server in its own process."""
    took: dict[str, list[list[float]]] = {path: [] for path in _ANSWERS}
    bare: dict[str, list[list[float]]] = {path: [] for path in _ANSWERS}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        pipeline = Pipeline(stack.enter_context(broker(folder)), folder, stack.enter_context)
        video = pipeline.video()
        stack.enter_context(_sending(pipeline))
        video.ready(60)  # which it is once frames come
        wait_for(lambda: set(_CAMERAS) <= set(video.ledger()), 60, "the cameras")
        time.sleep(2 * FIGURES_EVERY)  # so that rates are known
        for _ in rounds("status", 3):
            for path in _ANSWERS:
                site = pipeline.display if path == "/api/status" else video.health
                pairs = [(_time(site, path), _time(video.health, "/healthz")) for _ in range(_REQUESTS)]
                took[path].append([ours for ours, _ in pairs])
                bare[path].append([theirs for _, theirs in pairs])
    against = f"/healthz of the same process, in turns; a frame per second and camera, {broker_kind()}"
    measured = []
    for path in _ANSWERS:
        for figure, of in ((MEDIAN[path], _median), (SLOWEST[path], _slowest)):
            ours, theirs = [of(times) for times in took[path]], [of(times) for times in bare[path]]
            measured.append(figure.side_by_side(ours, theirs, against))
    return measured


def _median(times: list[float]) -> float:
    return statistics.median(times)


def _slowest(times: list[float]) -> float:
    return max(times)


def _time(site: str, path: str) -> float:
    """Return how long a request took, in ms."""
    address = urlsplit(site)
    begun = time.perf_counter()
    connection = HTTPConnection(address.hostname or "", address.port, timeout=30)
    connection.request("GET", path)
    with connection.getresponse() as answer:
        answer.read()
    connection.close()
    assert answer.status == 200
    return 1000 * (time.perf_counter() - begun)


@contextmanager
def _sending(pipeline: Pipeline) -> Iterator[None]:
    """Let all cameras send frames, and all processes report, until the block ends."""
    ended = threading.Event()
    thread = threading.Thread(target=_send, args=(pipeline, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(30)


def _send(pipeline: Pipeline, ended: threading.Event) -> None:
    kafka = Producer({"bootstrap.servers": pipeline.bootstrap, "linger.ms": 5})
    reported = 0.0
    predictions = (Prediction("imagenet_1", (Result("door", 0.93),), 1, 40, 30),)
    for seq in itertools.count(1):
        for camera in _CAMERAS:
            frame = encode(a_frame(seq, camera=camera, captured=time.time_ns(), predictions=predictions))
            kafka.produce(pipeline.topic_out, frame.value, frame.key, headers=list(frame.headers))
            kafka.poll(0)
            if time.monotonic() - reported >= FIGURES_EVERY:
                reported = time.monotonic()
                _report(kafka, pipeline.topic_status)
            if ended.wait(1 / len(_CAMERAS)):
                kafka.flush(10)
                return


def _report(kafka: Producer, topic: str) -> None:
    """Report about all processes: each has its share of the cameras."""
    for service, number in itertools.product(("producer", "consumer"), range(_REPLICAS)):
        subject = Subject(service, f"{service}-{number}")
        ready = Status(subject, "ready", None, time.time())
        kafka.produce(topic, status.encode_value(ready), status.encode_key(subject))
        share = dict.fromkeys(_CAMERAS[number::_REPLICAS], _OF_A_CAMERA)
        for key, value in figures.encode(Figures(service, subject.instance, time.time(), share)):
            kafka.produce(topic, value, key)
