"""From captured image to published frame: scale, encode, send."""

import itertools

import cv2
from prometheus_client import Counter

from pipeline import mat, picture
from pipeline.frame import Format, Frame, Message, encode
from pipeline.ledger import Ledger
from pipeline.publisher import Publisher
from producer.camera import Camera
from producer.capture import Captured

_IDENTICAL = Counter(
    "streamlens_identical_frames", "Frames that are the same as the one before, to the last bit", ["camera"]
)


class FramePublisher:
    """Publishes a camera's newest frames, numbered from 0."""

    def __init__(
        self,
        camera: Camera,
        publisher: Publisher,
        ledger: Ledger,
        *,
        scale: tuple[float, float],
        quality: int,
        frame_format: Format,
    ) -> None:
        self._camera = camera
        self._publisher = publisher
        self._ledger = ledger
        self._scale = scale
        self._quality = quality
        self._format = frame_format
        self._numbers = itertools.count()
        self._last = b""

    def step(self) -> None:
        """Publish the next frame that comes within half a second."""
        captured = self._camera.frames.take(0.5)
        if captured is None:
            self._publisher.poll()
            return
        self._publish(captured)

    def close(self) -> None:
        """Count the frame that nobody took."""
        for _ in self._camera.frames.clear():
            self._ledger.dropped(self._camera.name, "stopping")

    def _publish(self, captured: Captured) -> None:
        image = captured.image
        if self._scale != (1, 1):
            height, width = image.shape[:2]
            sides = (max(1, round(width * self._scale[0])), max(1, round(height * self._scale[1])))
            image = cv2.resize(image, sides)  # type: ignore[assignment]
        name = self._camera.name
        if self._format == "mat":
            message = Message(None, mat.encode(image), [])
        else:
            height, width = image.shape[:2]
            data = picture.encode(image, self._quality)
            message = encode(Frame(name, next(self._numbers), captured.at, data, width, height))
        if message.value == self._last:
            _IDENTICAL.labels(name).inc()
        self._last = message.value
        self._publisher.publish(message, camera=name, captured=captured.at)
