"""What a camera delivers, measured as a producer would read it."""

import time
from dataclasses import dataclass
from typing import Final

from pipeline.flow.pace import Pace
from pipeline.wire.picture import PictureError
from producer import scale
from producer.decode import decode_reduced
from producer.encode import Encoder
from producer.sources.source import Captured, CaptureError, Source

_QUALITY: Final = 85  # of a producer's JPEGs, unless JPEGQUALITY is set


@dataclass(frozen=True, slots=True)
class Shape:
    """How a camera's pictures are published: every `interval` s, turned and scaled."""

    interval: float
    rotate: int = 0
    factors: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Measured:
    """A camera's pictures: their size in pixels, frames per second, and bytes of a published JPEG.

    `work` is the processor time in s for each published frame. `codec` is FFmpeg's name of the decoder,
    `mjpeg`, or `picture` for a camera that sends one per request. `passes` tells whether its JPEGs are
    published without decoding them.
    """

    codec: str
    width: int
    height: int
    rate: float
    published: float
    size: int
    work: float
    passes: bool
    bad: int = 0

    @property
    def load(self) -> float:
        """The share of a processor core that it takes."""
        return self.work * self.published


def measure(source: Source, shape: Shape, seconds: float) -> Measured:
    """Read frames for some seconds; raise `CaptureError` if there is no picture among them."""
    encoder, pace = Encoder(), Pace(shape.interval)
    grabbed = bad = sizes = 0
    trouble = "no frame"
    taken: list[tuple[Captured, bool]] = []
    begun = last = spent = 0.0
    try:
        while not taken or last - begun < seconds:
            _grab(source)
            last = time.monotonic()
            if not begun:
                begun, spent = last, time.process_time()
            grabbed += 1
            if not taken and last - begun > max(seconds, shape.interval):
                break
            if not pace.due(last):
                continue
            try:
                captured = source.retrieve()
                data, passes = _published(captured, shape, encoder)
            except PictureError as error:
                bad, trouble = bad + 1, str(error)
                continue
            sizes += len(data)
            taken.append((captured, passes))
    except CaptureError as error:
        if not taken:
            raise
        trouble = str(error)
    finally:
        encoder.close()
    if not taken:
        raise CaptureError(f"no picture within {max(seconds, last - begun):.0f} s: {trouble}")
    (captured, passes), count = taken[-1], len(taken)
    span = last - begun
    return Measured(
        codec=getattr(source, "codec", ""),
        width=captured.width,
        height=captured.height,
        rate=(grabbed - 1) / span if span > 0 else 0.0,
        published=(count - 1) / span if span > 0 else 0.0,
        size=sizes // count,
        work=(time.process_time() - spent) / count,
        passes=passes,
        bad=bad,
    )


def _grab(source: Source) -> None:
    if wait := source.due_in():
        time.sleep(wait)
    source.grab()


def _published(captured: Captured, shape: Shape, encoder: Encoder) -> tuple[bytes, bool]:
    """Return the JPEG that would be published, and whether it is the camera's own."""
    turned = scale.turned_size(captured.width, captured.height, shape.rotate)
    size = scale.size_of(*turned, shape.factors)
    image = captured.picture
    if isinstance(image, bytes):
        if not shape.rotate and size == (captured.width, captured.height):
            return image, True
        before = scale.turned_size(*size, shape.rotate)
        image = decode_reduced(image, (captured.width, captured.height), before)
    image = scale.to_size(image, *scale.turned_size(*size, shape.rotate))
    return encoder.encode(scale.turn(image, shape.rotate), _QUALITY), False
