"""A JPEG's size and segments, read without decoding it (ITU-T T.81, annex B)."""

from collections.abc import Iterator
from struct import Struct
from typing import Final

START: Final = b"\xff\xd8"
END: Final = b"\xff\xd9"

MOST_PIXELS: Final = 64_000_000
"""The largest frame that is accepted: a few bytes can claim a picture that fits in no memory."""

LONGEST_SIDE: Final = 65_500
"""The greatest width or height that libjpeg writes and reads; the format's own limit is 65,535."""

# The second byte of a marker; the first is 0xff.
HUFFMAN_TABLES: Final = 0xC4
START_OF_SCAN: Final = 0xDA
QUANTIZATION_TABLES: Final = 0xDB
RESTART_INTERVAL: Final = 0xDD
JFIF: Final = 0xE0
EXIF: Final = 0xE1
ADOBE: Final = 0xEE
COMMENT: Final = 0xFE
APPLICATION_DATA: Final = frozenset(range(0xE0, 0xF0))
FRAME_HEADERS: Final = frozenset(range(0xC0, 0xD0)) - {HUFFMAN_TABLES, 0xC8, 0xCC}

_END_OF_IMAGE: Final = END[1]
_FILL: Final = 0xFF
# TEM, RST0 to RST7 and the start of image; 0xff is a fill byte in front of a marker.
_WITHOUT_BODY: Final = frozenset([0x01, *range(0xD0, 0xD9), _END_OF_IMAGE, _FILL])

# Metadata may precede the frame header, up to a limit.
_LONGEST_SEARCH: Final = 256 * 1024
LONGEST_HEAD: Final = 64 * 1024
"""The largest head that `head_length` accepts, in bytes: heads are kept for the frames that follow."""
# Some encoders pad the file; the end marker is searched for in this many last bytes.
_TAIL: Final = 64
_SIZE: Final = Struct(">HH")


class JpegError(ValueError):
    """The bytes are not a complete JPEG; the text says what is wrong."""


def size(data: bytes) -> tuple[int, int]:
    """Return a complete JPEG's (width, height) in pixels; raise `JpegError` for anything else."""
    found = segments(data, _LONGEST_SEARCH)
    if data.rfind(END, -_TAIL) < 0:
        raise JpegError(f"truncated JPEG: {len(data)} bytes without an end marker")
    for marker, begin, end in found:
        if marker in FRAME_HEADERS and end >= begin + 9:
            height, width = _SIZE.unpack_from(data, begin + 5)
            if not 0 < width * height <= MOST_PIXELS:
                raise JpegError(f"broken JPEG: {width}x{height} pixels, expected 1 to {MOST_PIXELS} in total")
            return width, height
    raise JpegError("broken JPEG: no frame header")


def head_length(data: bytes) -> int:
    """Return how many bytes precede the entropy-coded data; raise `JpegError` where there is none."""
    for marker, _, end in segments(data, LONGEST_HEAD):
        if marker == START_OF_SCAN:
            return end
    raise JpegError("broken JPEG: no scan")


def segments(data: bytes, most: int | None = None) -> Iterator[tuple[int, int, int]]:
    """Return the marker of each segment, where it begins, and where its body ends.

    The body follows the two bytes of the marker and the two of the length. Fill bytes and markers without a
    body are skipped. The start of scan is the last segment. A segment that is not complete within the data's
    first `most` bytes is left out, with all that follow. Raises `JpegError` for data that is not a JPEG; the
    iterator does where a marker is missing.
    """
    if not data.startswith(START):
        raise JpegError(f"not a JPEG: begins with {data[:4].hex() or 'nothing'}, expected ffd8")
    return _segments(data, len(data) if most is None else min(len(data), most))


def _segments(data: bytes, most: int) -> Iterator[tuple[int, int, int]]:
    at = len(START)
    while at + 4 <= most:
        if data[at] != 0xFF:
            raise JpegError(f"broken JPEG: no marker at byte {at}")
        marker = data[at + 1]
        if marker in _WITHOUT_BODY:
            if marker == _END_OF_IMAGE:
                return
            at += 1 if marker == _FILL else 2
            continue
        end = at + 2 + (data[at + 2] << 8 | data[at + 3])
        if not at + 4 <= end <= most:
            return
        yield marker, at, end
        if marker == START_OF_SCAN:
            return
        at = end
