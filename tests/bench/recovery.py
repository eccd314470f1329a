"""How long pictures stand still: services and brokers are killed, and eight cameras are watched meanwhile.

The services are restarted at once, as Kubernetes would. Brokers are faulted only if the environment names a
command for that (`tests.cluster`).
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import urlsplit

import numpy as np

from pipeline.flow.ledger import Ledger
from pipeline.kafka import clients
from pipeline.kafka.publisher import Publisher
from pipeline.wire import picture
from pipeline.wire.frame import Frame, encode
from tests.bench.figures import Figure, Measured
from tests.bench.pairs import rounds
from tests.bench.stream import captures
from tests.bench.system import broker
from tests.bench.topics import short_lived
from tests.cluster import COMMAND, Cluster, cluster
from tests.integration.conftest import Pipeline
from tests.parts import Service, wait_for

_ROUNDS: Final = 3
_CAMERAS: Final = tuple(f"camera-{number}" for number in range(8))
_RATE: Final = 10  # frames per second and camera
_PAUSE: Final = 5.0  # s that a broker is paused
_AFTER: Final = 8.0  # s to watch after a fault: longer than a session of a Kafka group
_PATIENCE: Final = 40.0  # s

CONSUMER_KILLED: Final = Figure("consumer killed and restarted", "s", most=2)
CONSUMER_ENDED: Final = Figure("consumer ended and restarted", "s", most=2)
VIDEO_KILLED: Final = Figure("video server killed and restarted", "s", most=2)
REPLICA_REMOVED: Final = Figure("one of two consumers killed for good", "s", most=6)
BROKER_KILLED: Final = Figure("only broker killed and restarted, once it listens", "s", most=3)
BROKER_PAUSED: Final = Figure("only broker paused, once it continues", "s", most=3)
THREE_BROKERS: Final = {
    number: Figure(f"broker {number} of three killed", "s", most=5) for number in (1, 2, 3)
}
BACKWARDS: Final = Figure("pictures older than the one before", "pictures", most=0)
FIGURES: Final = (
    CONSUMER_KILLED,
    CONSUMER_ENDED,
    VIDEO_KILLED,
    REPLICA_REMOVED,
    BROKER_KILLED,
    BROKER_PAUSED,
    *THREE_BROKERS.values(),
    BACKWARDS,
)


class Publishing:
    """Publishes small frames of all cameras, as producers do, until the block ends."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._publisher = Publisher(clients.producer(bootstrap, "none", {}), topic, Ledger())
        self._jpeg = picture.encode(np.full((240, 320, 3), 90, np.uint8), 85)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Publishing":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._publisher.close()

    def _run(self) -> None:
        seq = 0
        while not self._ended.wait(1 / _RATE):
            for camera in _CAMERAS:
                captured = time.time_ns()
                frame = Frame(camera, seq, captured, self._jpeg, 320, 240)
                self._publisher.publish(encode(frame), camera=camera, captured=captured)
            seq += 1


class Watching:
    """Watches a camera until the block ends, and connects again whenever it has to."""

    def __init__(self, address: tuple[str, int], camera: str) -> None:
        self._address = address
        self._camera = camera
        self._frames: list[
            tuple[float, float]
        ] = []  # when they arrived and were captured, in s since the epoch
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Watching":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def back_after(self, moment: float) -> float | None:
        """Return how long after a moment the first picture captured since then arrived; None if none has."""
        return next((arrived - moment for arrived, captured in self._frames if captured > moment), None)

    def still_after(self, moment: float) -> float:
        """Return the longest time without a new picture that ended after a moment."""
        arrivals, newest = list[float](), 0.0
        for arrived, captured in self._frames:
            if captured > newest:  # a server sends its last picture again to a client that connects again
                arrivals.append(arrived)
                newest = captured
        return max(later - earlier for earlier, later in pairwise(arrivals) if later > moment)

    def backwards(self) -> int:
        """Return how many pictures were older than the one before."""
        captured = [captured for _, captured in self._frames]
        return sum(later < earlier for earlier, later in pairwise(captured))

    def _run(self) -> None:
        while not self._ended.wait(0.05):
            try:
                with socket.create_connection(self._address, timeout=_PATIENCE) as connection:
                    # Without "close", a server that does not know the camera yet would hold the connection.
                    head = b"GET /stream/%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                    connection.sendall(head % self._camera.encode())
                    for captured in captures(connection):
                        self._frames.append((time.time(), captured / 1e9))
                        if self._ended.is_set():
                            break
            except (OSError, ValueError):  # it is gone, or there is no such camera yet
                continue


class Site:
    """A running system, and one viewer of each camera."""

    def __init__(self, bootstrap: str, folder: Path, stack: ExitStack) -> None:
        self.pipeline = Pipeline(bootstrap, folder, stack.enter_context)
        self._stack = stack
        pipeline = self.pipeline
        stack.enter_context(short_lived(bootstrap, pipeline.topic_in, pipeline.topic_out))
        self.video = self.start_video()
        self.consumer = self.start_consumer()
        stack.enter_context(Publishing(bootstrap, pipeline.topic_in))
        url = urlsplit(pipeline.display)
        address = (url.hostname or "", url.port or 0)
        self._viewers = [stack.enter_context(Watching(address, camera)) for camera in _CAMERAS]
        self.back(time.time())
        time.sleep(_AFTER)

    def start_consumer(self) -> Service:
        """Start a consumer, without models."""
        return self.pipeline.consumer(KAFKAFETCHWAIT="100ms")

    def start_video(self) -> Service:
        """Start a video server; there can be one at a time."""
        return self.pipeline.video(KAFKAFETCHWAIT="100ms")

    def back(self, moment: float) -> float:
        """Wait until every camera shows a picture captured after a moment; return how long that took."""
        wait_for(lambda: None not in self._back(moment), _PATIENCE, "pictures of all cameras")
        return max(seconds for seconds in self._back(moment) if seconds is not None)

    def still(self, moment: float) -> float:
        """Return the longest time in which a camera's picture stood still around or after a moment."""
        self.back(moment)
        time.sleep(_AFTER)
        return max(viewer.still_after(moment) for viewer in self._viewers)

    def backwards(self) -> int:
        """Return how many pictures were older than the one before."""
        return sum(viewer.backwards() for viewer in self._viewers)

    def _back(self, moment: float) -> list[float | None]:
        return [viewer.back_after(moment) for viewer in self._viewers]


@contextmanager
def site(bootstrap: str) -> Iterator[Site]:
    """Run a system that shows pictures of all cameras when the block begins."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        yield Site(bootstrap, folder, stack)


def measure() -> list[Measured]:
    """Return how long pictures stood still after each fault; without the command, after those of services."""
    values: dict[Figure, list[float]] = {}

    def note(figure: Figure, seconds: float) -> None:
        values.setdefault(figure, []).append(seconds)
        print(f"    {figure.name}: {seconds:.2f} {figure.unit}", flush=True)

    able = COMMAND in os.environ
    if not able:
        print(
            f"  recovery: brokers are NOT faulted: set {COMMAND} to a command that starts and kills them",
            flush=True,
        )
    with ExitStack() as stack:
        kafka = stack.enter_context(cluster(1)) if able else None
        folder = Path(stack.enter_context(TemporaryDirectory()))
        bootstrap = kafka.bootstrap if kafka else stack.enter_context(broker(folder))
        for _ in rounds("recovery, one broker", _ROUNDS):
            with site(bootstrap) as here:
                _fault_services(here, note)
                if kafka is not None:
                    _fault_broker(here, kafka, note)
                note(BACKWARDS, here.backwards())
    if able:
        _fault_three_brokers(note)
    against = f"{len(_CAMERAS)} cameras at {_RATE}/s, the one that stands still longest"
    return [figure.alone(values[figure], against) for figure in FIGURES if figure in values]


Note = Callable[[Figure, float], None]


def _fault_services(here: Site, note: Note) -> None:
    killed = time.time()
    here.consumer.kill()
    here.consumer = here.start_consumer()
    note(CONSUMER_KILLED, here.still(killed))

    ended = time.time()
    here.consumer.stop()
    here.consumer = here.start_consumer()
    note(CONSUMER_ENDED, here.still(ended))

    killed = time.time()
    here.video.kill()
    here.video = here.start_video()
    note(VIDEO_KILLED, here.still(killed))

    with here.start_consumer() as second:
        second.ready()
        time.sleep(_AFTER)
        killed = time.time()
        second.kill()
        note(REPLICA_REMOVED, here.still(killed))


def _fault_broker(here: Site, kafka: Cluster, note: Note) -> None:
    kafka.kill(1)
    note(BROKER_KILLED, here.back(kafka.restart(1)))
    time.sleep(_AFTER)

    kafka.pause(1)
    time.sleep(_PAUSE)
    note(BROKER_PAUSED, here.back(kafka.resume(1)))
    time.sleep(_AFTER)


def _fault_three_brokers(note: Note) -> None:
    with cluster(3) as kafka, site(kafka.bootstrap) as here:
        for _ in rounds("recovery, three brokers", _ROUNDS):
            for number, figure in THREE_BROKERS.items():
                kafka.wait_in_sync((here.pipeline.topic_in, here.pipeline.topic_out))
                note(figure, here.still(kafka.kill(number)))
                kafka.restart(number)
                time.sleep(_AFTER)
