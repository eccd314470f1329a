"""Image to JPEG, on two cores at once if that is worth it."""

from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from typing import Final

from pipeline.wire import jpeg, picture
from pipeline.wire.picture import MCU, Image

_WORTH: Final = 500_000  # pixels; fewer are encoded before another thread has woken up
# Restart markers are numbered 0 to 7, over and over. After a multiple of 8 rows of MCUs the marker between
# the halves is number 7, so the markers of the lower half, which begin with 0, can stay as they are.
_ROWS: Final = 8 * MCU  # pixels
_HIGHEST: Final = 65_535  # pixels that a JPEG can have
_SIZE: Final = 5  # bytes from a frame header's marker to the height
_FRAME: Final = b"\xff\xc0"
_LAST_RESTART: Final = b"\xff\xd7"


class Encoder:
    """Encodes one image at a time: large ones in two halves, of which a thread of its own does the lower."""

    def __init__(self) -> None:
        self._beside = ThreadPoolExecutor(1, "encode") if (cpu_count() or 1) > 1 else None

    def encode(self, image: Image, quality: int) -> bytes:
        """Return what `picture.encode` returns, byte for byte, in little more than half the time."""
        height, width = image.shape[:2]
        middle = -(-height // (2 * _ROWS)) * _ROWS
        if self._beside is None or width * height < _WORTH or not middle < height <= _HIGHEST:
            return picture.encode(image, quality)
        lower_half = self._beside.submit(picture.encode, image[middle:], quality)
        upper = picture.encode(image[:middle], quality)
        lower = lower_half.result()
        at = upper.index(_FRAME) + _SIZE
        tiles = memoryview(lower)[jpeg.head_length(lower) :]
        end = -len(jpeg.END)
        return b"".join((upper[:at], height.to_bytes(2), upper[at + 2 : end], _LAST_RESTART, tiles))

    def close(self) -> None:
        """End the thread."""
        if self._beside is not None:
            self._beside.shutdown()
