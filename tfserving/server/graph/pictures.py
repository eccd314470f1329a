"""Measures the pictures in a request before a graph decodes them."""

import re
from collections.abc import Iterable
from itertools import chain
from struct import Struct
from typing import Final

from pipeline.wire import jpeg, largest, protobuf
from tfserving.server.errors import invalid
from tfserving.server.graph.elements import elements
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
_PICTURE: Final = re.compile(b"|".join(map(re.escape, (jpeg.START, _PNG, *_OTHERS))))


def memory(tensors: Iterable[Array]) -> int:
    """Return how many bytes a run of a graph needs for the pictures in its inputs.

    Raises ServingError (INVALID_ARGUMENT) for a picture that cannot be measured or has too many pixels.
    """
    return sum(_of_strings(tensor) if tensor.dtype == object else _of_numbers(tensor) for tensor in tensors)


def _of_numbers(tensor: Array) -> int:
    return len(tensor) * _PER_ROW + tensor.size * _PER_NUMBER if tensor.ndim > 2 else 0


def _of_strings(tensor: Array) -> int:
    total = 0
    examples = elements(filter(_may_hold_picture, tensor.flat), protobuf.MOST_FIELDS)
    try:
        for text in chain(tensor.flat, examples):
            pixels = _pixels(text)
            if pixels:
                total += PER_PICTURE + pixels * _PER_DECODED
            if total > LARGEST_RUN:
                break
    except ValueError as error:
        # That is a setting of other services.
        raise invalid(f"Invalid picture: {str(error).partition(' (MAXPIXELS')[0]}") from None
    return total


def _may_hold_picture(text: bytes) -> bool:
    """Return whether a string may be a serialized Example with a picture. What begins as a JPEG is none."""
    return not text.startswith(jpeg.START) and _PICTURE.search(text) is not None


def _pixels(text: bytes) -> int:
    """Return the number of pixels of a picture, or 0 for any other string.

    Raises ValueError for a picture that cannot be measured or has too many pixels.
    """
    if text.startswith(jpeg.START):
        width, height = jpeg.size(text, largest.MOST_PIXELS)
        return width * height
    if text.startswith(_PNG) and len(text) >= 24:
        width, height = _SIDES.unpack_from(text, 16)
        if width * height > largest.MOST_PIXELS:
            raise ValueError(f"{width}x{height} pixels, expected at most {largest.MOST_PIXELS}")
        return int(max(width * height, 1))
    if other := _OTHERS.get(text[:4]):
        raise ValueError(f"expected a JPEG or a PNG, found {other}")
    return 0
