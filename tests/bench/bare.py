"""The bare side of the pairs: plain loops of library calls, as child processes.

`python -m tests.bench.bare NAME ARGUMENT...`; a loop writes a dot to standard output for each frame, and runs
until it is ended. Its Kafka clients are configured like the services'.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import cv2
from confluent_kafka import Consumer, Message

from pipeline.kafka import clients
from pipeline.service import process
from pipeline.wire import jpeg as wire
from pipeline.wire.frame import Frame
from tests.bench import clips, opencv
from tests.bench.stamp import labelling, stamping

_INTERVAL: Final = 0.04  # s between two frames of a camera
_FETCH_WAIT: Final = 0.005  # s, as tests.parts.Service sets it


def capture(path: str, bootstrap: str = "", topic: str = "", camera: str = "") -> None:
    """Read a clip as a camera: decode, encode, and publish if there is a topic."""
    producer = clients.producer(bootstrap, "none", {}) if topic else None
    clip = cv2.VideoCapture(path, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    for seq in _ticks():
        there, image = clip.read()
        if not there:
            clip.set(cv2.CAP_PROP_POS_FRAMES, 0)
            there, image = clip.read()
        captured = time.time_ns()
        jpeg = opencv.encode(image)  # type: ignore[arg-type]  # OpenCV promises no element type
        if producer is not None:
            producer.produce(topic, jpeg, camera, headers=_headers(seq, captured))
            producer.poll(0)
        _dot()


def feed(bootstrap: str, topic: str, camera: str) -> None:
    """Publish one frame of the clip again and again."""
    producer = clients.producer(bootstrap, "none", {})
    (frame,) = clips.frames(1)
    for seq in _ticks():
        producer.produce(topic, frame.jpeg, camera, headers=_headers(seq, time.time_ns()))
        producer.poll(0)
        _dot()


def hop(bootstrap: str, topic_in: str, topic_out: str) -> None:
    """Read each message and publish it unchanged."""
    producer = clients.producer(bootstrap, "none", {})
    for message in messages(bootstrap, topic_in):
        producer.produce(topic_out, message.value(), message.key(), headers=message.headers())
        producer.poll(0)
        _dot()


def stamped_hop(bootstrap: str, topic_in: str, topic_out: str) -> None:
    """Read each message, and publish its frame stamped as the consumer does."""
    producer, work = clients.producer(bootstrap, "none", {}), stamping()
    for message in messages(bootstrap, topic_in):
        jpeg = message.value() or b""
        frame = Frame("", 0, 0, jpeg, *wire.size(jpeg))
        producer.produce(topic_out, work(frame), message.key(), headers=message.headers())
        producer.poll(0)
        _dot()


def label(bootstrap: str, topic_in: str, topic_out: str) -> None:
    """Read each message, and publish its frame labelled with OpenCV alone."""
    producer = clients.producer(bootstrap, "none", {})
    for message in messages(bootstrap, topic_in):
        jpeg = opencv.label(message.value() or b"", "Nothing")
        producer.produce(topic_out, jpeg, message.key(), headers=message.headers())
        producer.poll(0)
        _dot()


def draw(source: str = "producer") -> None:
    """Label the clip's frames with OpenCV alone, as the producer publishes them or as a camera sends them."""
    _work(labelling(), clips.camera_frames(50) if source == "camera" else clips.frames(50))


def stamp() -> None:
    """Stamp frames of the clip as the consumer does."""
    _work(stamping(), clips.frames(50))


def messages(bootstrap: str, topic: str) -> Iterator[Message]:
    """Yield the messages that arrive on a topic from now on."""
    consumer = subscribed(bootstrap, topic)
    while True:
        message = consumer.poll(0.2)
        if message is not None and message.error() is None:
            yield message


def subscribed(bootstrap: str, topic: str) -> Consumer:
    """Return a consumer of a topic, in its own group."""
    group = f"bench-{os.getpid()}-{time.time_ns()}"
    # `from_the_end` adds to what is assigned.
    adds = {"partition.assignment.strategy": "cooperative-sticky"}
    consumer = clients.consumer(bootstrap, group, _FETCH_WAIT, adds)
    consumer.list_topics(topic, timeout=5)  # creates the topic if it does not exist
    consumer.subscribe([topic], on_assign=clients.from_the_end)
    return consumer


def _work(work: Callable[[Frame], bytes], frames: Sequence[Frame]) -> None:
    process.tune()
    for number in _ticks():
        work(frames[number % len(frames)])
        _dot()


def _ticks() -> Iterator[int]:
    """Count from 0, one every 40 ms; missed ticks are skipped."""
    due, number = time.monotonic(), 0
    while True:
        yield number
        number += 1
        due = max(due + _INTERVAL, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))


def _headers(seq: int, captured: int) -> list[tuple[str, str | bytes | None]]:
    return [("seq", b"%d" % seq), ("captured", b"%d" % captured)]


def _dot() -> None:
    os.write(1, b".")


if __name__ == "__main__":
    loops: dict[str, Callable[..., None]] = {
        loop.__name__: loop for loop in (capture, feed, hop, stamped_hop, label, draw, stamp)
    }
    loops[sys.argv[1]](*sys.argv[2:])
