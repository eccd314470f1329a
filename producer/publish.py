"""Turn captured pictures into published frames: scale, encode, send."""

import itertools
import logging
from collections.abc import Iterator
from typing import Final

from pipeline.flow.ledger import Ledger
from pipeline.kafka.publisher import Publisher
from pipeline.service.logs import Seldom
from pipeline.service.recorder import working
from pipeline.wire import jpeg, mat, picture
from pipeline.wire.frame import Format, Frame, Message, encode
from pipeline.wire.picture import Image
from producer import metrics, scale
from producer.camera import Camera
from producer.decode import decode_reduced
from producer.encode import Encoder
from producer.sources.source import Captured

log = logging.getLogger(__name__)

_QUALITY: Final = 85


class FramePublisher:
    """Publishes a camera's newest frames.

    They are turned clockwise by `rotate` degrees, then scaled. If `quality` is None, the camera's own JPEGs
    are published unchanged unless they have to be turned or scaled. `numbers` are those of the run `run`, by
    default from 0; the frames go to `partition`, if it is given. The encoder has a second thread if this is
    the process's only camera: `alone`.
    """

    def __init__(
        self,
        camera: Camera,
        publisher: Publisher,
        ledger: Ledger,
        *,
        scale: tuple[float, float],
        rotate: int,
        quality: int | None,
        frame_format: Format,
        most_pixels: int,
        numbers: Iterator[int] | None = None,
        run: str = "",
        partition: int | None = None,
        alone: bool = True,
    ) -> None:
        self._camera = camera
        self._publisher = publisher
        self._ledger = ledger
        self._scale = scale
        self._rotate = rotate
        self._quality = quality
        self._format = frame_format
        self._most_pixels = most_pixels
        self._encoder = Encoder(alone=alone)
        self._numbers = itertools.count() if numbers is None else numbers
        self._run = run
        self._partition = partition
        self._is_muted = False
        self._last = b""
        # Kept: one that is counted late must not bring back the samples of a camera that was removed.
        self._identical = metrics.IDENTICAL.labels(camera.name)
        self._trouble: str | None = None
        self._seldom = Seldom(log)

    def step(self) -> None:
        """Publish the next frame, if one arrives within half a second."""
        captured = self._camera.frames.take(0.5)
        if captured is None:
            self._publisher.poll()
            return
        name = self._camera.name
        self._trouble = self._too_large(captured)
        if self._trouble:
            self._ledger.dropped(name, "too_large")
            self._seldom.warning("too_large", self._trouble)
            return
        try:
            with working("encode", captured.size, name):
                message = self._encode(captured)
        except picture.PictureError as error:
            self._ledger.dropped(name, "not_encodable")
            self._seldom.warning("not_encodable", f"skipped a frame of {name}: {error}")
            return
        except Exception:
            self._ledger.dropped(name, "failed")
            raise
        if message.value == self._last:
            self._identical.inc()
        self._last = message.value
        if self._is_muted:
            self._ledger.dropped(name, "stopping")
            return
        self._publisher.publish(message, camera=name, captured=captured.at, partition=self._partition)

    def mute(self) -> None:
        """Publish no more frames, from any thread, until `unmute`."""
        self._is_muted = True

    def unmute(self) -> None:
        """Publish frames again."""
        self._is_muted = False

    def unready(self) -> str | None:
        """Return why the camera's frames are not published, in one line, or None."""
        return self._trouble

    def close(self) -> None:
        """Stop the encoder, and count a frame that is still waiting as dropped."""
        self._encoder.close()
        self._camera.end()

    def _too_large(self, captured: Captured) -> str | None:
        """Return in one line why no reader would accept a picture, or None."""
        width, height = self._size(captured)
        longest = (mat if self._format == "mat" else jpeg).LONGEST_SIDE
        if max(width, height) <= longest and width * height <= self._most_pixels:
            return None
        x, y = self._scale
        return (
            f"camera {self._camera.name}: IMAGESCALEX={x:g} and IMAGESCALEY={y:g} turn"
            f" {captured.width} x {captured.height} pixels into {width} x {height}; expected at most"
            f" {self._most_pixels} in total (MAXPIXELS) and {longest} per side: set smaller factors"
        )

    def _encode(self, captured: Captured) -> Message:
        size = self._size(captured)
        if self._format == "mat":
            return Message(None, mat.encode(self._image(captured, size)), [])
        is_changed = self._rotate or size != (captured.width, captured.height)
        if isinstance(captured.picture, bytes) and self._quality is None and not is_changed:
            data = captured.picture
        else:
            data = self._encoder.encode(self._image(captured, size), self._quality or _QUALITY)
        number = next(self._numbers)
        return encode(Frame(self._camera.name, number, captured.at, data, *size, run=self._run))

    def _size(self, captured: Captured) -> tuple[int, int]:
        turned = scale.turned_size(captured.width, captured.height, self._rotate)
        return scale.size_of(*turned, self._scale)

    def _image(self, captured: Captured, size: tuple[int, int]) -> Image:
        image = captured.picture
        before = scale.turned_size(*size, self._rotate)
        if isinstance(image, bytes):
            image = decode_reduced(image, (captured.width, captured.height), before)
        return scale.turn(scale.to_size(image, *before), self._rotate)
