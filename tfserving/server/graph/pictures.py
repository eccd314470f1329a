"""Measures the pictures in a request before a graph decodes them."""

from collections.abc import Iterable
from struct import Struct
from typing import Final

from pipeline.wire import jpeg, largest
from tfserving.server.errors import invalid
from tfserving.server.json.values import Array

LARGEST_RUN: Final = 384 << 20
"""Bytes of memory for the pictures of all requests that run at the same time, and so for those of one."""

PER_PICTURE: Final = 10 << 20
"""Bytes that a network takes for an encoded picture, once it is scaled to the network's size."""

_PER_ROW: Final = 1 << 20  # bytes for a picture that comes as numbers
_PER_DECODED: Final = 6  # bytes for each pixel: the picture and a part of it
_PER_NUMBER: Final = 4  # bytes
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_OTHERS: Final = {b"GIF8": "a GIF", b"RIFF": "a WebP"}
"""What TensorFlow decodes, too, and what does not say at its beginning how large it gets."""
_SIDES: Final = Struct(">II")


def memory(tensors: Iterable[Array]) -> int:
    """Return how many bytes a run of a graph needs for the pictures in its inputs.

    Raises ServingError (INVALID_ARGUMENT) for a picture that cannot be measured or has too many pixels.
    """
    return sum(_of_strings(tensor) if tensor.dtype == object else _of_numbers(tensor) for tensor in tensors)


def _of_numbers(tensor: Array) -> int:
    return len(tensor) * _PER_ROW + tensor.size * _PER_NUMBER if tensor.ndim > 2 else 0


def _of_strings(tensor: Array) -> int:
    total = 0
    for text in tensor.flat:
        pixels = _pixels(text)
        if pixels:
            total += PER_PICTURE + pixels * _PER_DECODED
        if total > LARGEST_RUN:
            break
    return total


def _pixels(text: bytes) -> int:
    """Return the number of pixels of a picture, or 0 for any other string."""
    if text.startswith(jpeg.START):
        try:
            width, height = jpeg.size(text, largest.MOST_PIXELS)
        except jpeg.JpegError as error:
            raise invalid(f"Invalid picture: {error}") from None
        return int(width * height)
    if text.startswith(_PNG) and len(text) >= 24:
        width, height = _SIDES.unpack_from(text, 16)
        if width * height > largest.MOST_PIXELS:
            raise invalid(f"Invalid picture: {width}x{height} pixels, expected at most {largest.MOST_PIXELS}")
        return int(max(width * height, 1))
    if other := _OTHERS.get(text[:4]):
        raise invalid(f"Invalid picture: expected a JPEG or a PNG, found {other}")
    return 0
