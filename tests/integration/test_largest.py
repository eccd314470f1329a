"""The largest frames that are accepted, and larger ones, within the memory limits of the manifests.

A container that takes more memory than its limit is killed. Here, the highest resident memory of the
service's process (`VmHWM`) is compared with that limit.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from confluent_kafka import Producer

from pipeline.wire import jpeg, largest, mat, picture
from tests.consumer.fakes import ScriptedServer, reply
from tests.integration.conftest import Pipeline
from tests.parts import ROOT, Process, Service, reads, wait_for
from tests.producer.http_camera import HttpCamera
from tests.producer.sources import videos

pytestmark = pytest.mark.parts

WIDTH, HEIGHT = 4608, 3456
TIMES = 3
"""How many large messages come at the same time."""
# The embedded broker keeps one large message per partition.
PARTITIONS = 99
BAD = 'streamlens_poison_messages_total{kind="too_large"}'


def limit_of(service: str) -> int:
    """Return the memory limit of a service's container, in bytes."""
    documents = yaml.safe_load_all((ROOT / service / "deployment.yml").read_text())
    (found,) = (each for each in documents if each["kind"] == "Deployment")
    (container,) = found["spec"]["template"]["spec"]["containers"]
    limit: str = container["resources"]["limits"]["memory"]
    return int(limit.removesuffix("Mi")) << 20


def peak_of(service: Service) -> int:
    """Return the highest resident memory of a process so far, in bytes."""
    found = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{service.pid}/status").read_text())
    assert found
    return int(found[1]) << 10


@pytest.fixture(scope="module")
def small() -> bytes:
    """A picture of the camera whose frames have to go on."""
    return picture.encode(np.zeros((240, 320, 3), np.uint8), 85)


@pytest.fixture(scope="module")
def accepted() -> list[bytes]:
    """The largest frames: with tiles, of those that take a decoder the most memory, and the original's."""
    noise = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    options = (
        *(cv2.IMWRITE_JPEG_QUALITY, 94, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
    )
    jpegs = [picture.encode(noise, 100), cv2.imencode(".jpg", noise, options)[1].tobytes()]
    for each in jpegs:
        assert jpeg.size(each, largest.PIXELS) == (WIDTH, HEIGHT)
        assert 0.9 * largest.jpeg_bytes(largest.PIXELS) < len(each) <= largest.jpeg_bytes(largest.PIXELS)
    return [*jpegs, mat.encode(noise)]


@pytest.fixture(scope="module")
def too_large(small: bytes) -> list[bytes]:
    """Frames that Kafka accepts, of 82 to 95 MB."""
    return [
        small[:-2] + bytes(82_000_000) + jpeg.END,
        small[:-2] + bytes(95_000_000) + jpeg.END,
        mat.encode(np.zeros((4125, 5454, 3), np.uint8)),
        mat.encode(np.zeros((4500, 5200, 3), np.uint8)),
    ]


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    """A pipeline on a broker with many partitions."""
    with ExitStack() as stack:
        topics = (f"--topic={name}:{PARTITIONS}" for name in ("videocam", "videodisplay"))
        broker = Process([sys.executable, "-m", "compose.broker", *topics], {}, tmp_path / "broker.log")
        stack.enter_context(broker)
        line = wait_for(lambda: "KAFKA_BOOTSTRAP=" in broker.text and broker.text, 20, "the broker")
        found = Pipeline(line.split("KAFKA_BOOTSTRAP=")[1].split()[0], tmp_path, stack.enter_context)
        found.topic_in, found.topic_out = "videocam", "videodisplay"
        yield found


class Sender:
    """Sends messages of a good camera to the first partition of a topic, and large ones to the others."""

    def __init__(self, bootstrap: str, topic: str, good: bytes) -> None:
        self._topic = topic
        self._good = good
        self._partitions = iter(range(1, PARTITIONS))
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "message.max.bytes": 100_000_000,
                "queue.buffering.max.kbytes": 1_000_000,
            }
        )

    def good(self) -> None:
        """Send a frame of the camera `good`."""
        self._send("good", self._good, 0)
        self._flush()

    def large(self, camera: str, value: bytes, came: Callable[[], bool]) -> None:
        """Send a value as the frames of several cameras at once, until they have come.

        A reader that was held up for some seconds continues with the newest frames.
        """
        for _ in range(5):
            for number, partition in enumerate(islice(self._partitions, TIMES)):
                self._send(f"{camera}-{number}", value, partition)
            self._flush()
            with suppress(AssertionError):
                wait_for(came, 30, "large frames")
                return
        raise AssertionError(f"{camera} has not come")

    def _send(self, camera: str, value: bytes, partition: int) -> None:
        self._producer.produce(self._topic, value, camera, partition)

    def _flush(self) -> None:
        assert self._producer.flush(60) == 0


def counts(service: Service, camera: str, name: str) -> int:
    """Return one of a camera's counts."""
    return int(service.ledger().get(camera, {}).get(name, 0))


def feed(service: Service, sender: Sender, accepted: list[bytes], too_large: list[bytes]) -> None:
    """Send a service large frames; those that are too large are counted, and a good camera's go on."""

    def goes_on() -> None:
        before = counts(service, "good", "out")

        def went() -> bool:
            sender.good()
            return counts(service, "good", "out") > before

        wait_for(went, 60, f"a frame through {service.log.name}")

    def went_on(name: str) -> bool:
        return all(counts(service, f"{name}-{number}", "out") for number in range(TIMES))

    def are_counted(name: str) -> bool:
        names = [f"{name}-{number}" for number in range(TIMES)]
        return all(counts(service, name, "in") and not counts(service, name, "pending") for name in names)

    def are_rejected(before: float) -> bool:
        return service.metric(BAD) >= before + TIMES

    wait_for(lambda: reads(f"{service.health}/healthz"), 30, service.log.name)
    goes_on()
    # The first can be decoded in time.
    for number, (value, came) in enumerate(zip(accepted, (went_on, are_counted, are_counted), strict=True)):
        sender.large(f"large-{number}", value, partial(came, f"large-{number}"))
        goes_on()
    for number, value in enumerate(too_large, 1):
        sender.large(f"huge-{number}", value, partial(are_rejected, service.metric(BAD)))
        goes_on()
    # Cameras that have been silent for a minute make room.
    assert dropped(service, "no_room") > 0 or "forgotten" in service.text
    assert "expected at most" in service.text
    assert "MAXPIXELS" in service.text
    assert "Traceback" not in service.text


def test_the_consumer_goes_on(
    pipeline: Pipeline, small: bytes, accepted: list[bytes], too_large: list[bytes]
) -> None:
    answer = {"predictions": [{"classes": 1, "probabilities": [0] * 1001}]}
    with ScriptedServer(reply(200, json.dumps(answer).encode())) as model:
        consumer = pipeline.consumer(model.url, INFLIGHT="2")
        feed(consumer, Sender(pipeline.bootstrap, pipeline.topic_in, small), accepted, too_large)

    assert max(map(len, model.bodies)) > 4 / 3 * len(accepted[0])
    assert peak_of(consumer) < limit_of("consumer")


def test_the_video_server_goes_on(
    pipeline: Pipeline, small: bytes, accepted: list[bytes], too_large: list[bytes]
) -> None:
    video = pipeline.video()

    feed(video, Sender(pipeline.bootstrap, pipeline.topic_out, small), accepted, too_large)

    assert peak_of(video) < limit_of("video")


@pytest.mark.parametrize("quality", ["", "90"], ids=["unchanged", "encoded again"])
def test_the_producer_goes_on(pipeline: Pipeline, small: bytes, accepted: list[bytes], quality: str) -> None:
    huge = small[:-2] + bytes(32_500_000) + jpeg.END
    with HttpCamera([small, *accepted[:2], huge], rate=2) as camera:
        producer = pipeline.producer("door", camera.link, JPEGQUALITY=quality)
        wait_for(lambda: reads(f"{producer.health}/healthz"), 30, "the producer")
        wait_for(lambda: dropped(producer, "too_large") >= 2, 60, "frames that are too large")
        after = counts(producer, "door", "out")
        wait_for(lambda: counts(producer, "door", "out") >= after + 4, 60, "further frames")

    assert "MAXPIXELS" in producer.text
    assert peak_of(producer) < limit_of("producer")


def test_the_producer_plays_video_whose_decoder_keeps_the_most_frames_again_and_again(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    dark, bright = (videos.grey(level, WIDTH, HEIGHT) for level in (50, 200))
    options = {"preset": "ultrafast", "x264-params": "ref=16:bframes=0"}
    film = videos.write(
        tmp_path / "film.mkv", [dark, bright] * 10, rate=5, keyframe_every=100, options=options
    )

    producer = pipeline.producer("door", str(film), FRAMEINTERVAL="200ms")
    wait_for(lambda: reads(f"{producer.health}/healthz"), 30, "the producer")
    wait_for(lambda: counts(producer, "door", "out") >= 45, 120, "the film to start over twice")

    assert peak_of(producer) < limit_of("producer")


def dropped(service: Service, reason: str) -> int:
    """Return how many frames were dropped for a reason."""
    return sum(int(each["dropped"].get(reason, 0)) for each in service.ledger().values())
