"""What a JPEG says of itself, read from its markers without decoding it (ITU-T T.81, annex B)."""

from collections.abc import Iterator
from typing import Final

START: Final = b"\xff\xd8"
END: Final = b"\xff\xd9"

MOST_PIXELS: Final = 64_000_000
"""How many a frame may have: a few bytes can claim a picture that fits no memory."""

_STANDALONE: Final = frozenset([0x01, *range(0xD0, 0xD9)])
_START_OF_FRAME: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN: Final = 0xDA
_LONGEST_KEPT: Final = 64 * 1024
# Metadata may come before the frame header, but not without end.
_LONGEST_HEAD: Final = 256 * 1024
# Some encoders pad the file; the end marker is looked for in this many last bytes.
_TAIL: Final = 64


class JpegError(ValueError):
    """The bytes are no complete JPEG; the text says what is wrong."""


def size(data: bytes) -> tuple[int, int]:
    """Return a complete JPEG's (width, height) in pixels; raise `JpegError` for anything else."""
    if not data.startswith(START):
        raise JpegError(f"no JPEG: begins with {data[:4].hex() or 'nothing'}, not ffd8")
    if data.rfind(END, -_TAIL) < 0:
        raise JpegError(f"truncated JPEG: {len(data)} bytes without an end marker")
    at = 2
    while at + 9 <= min(len(data), _LONGEST_HEAD):
        if data[at] != 0xFF:
            raise JpegError(f"broken JPEG: no marker at byte {at}")
        marker = data[at + 1]
        if marker in _START_OF_FRAME:
            height = int.from_bytes(data[at + 5 : at + 7])
            width = int.from_bytes(data[at + 7 : at + 9])
            if not 0 < width * height <= MOST_PIXELS:
                raise JpegError(f"{width}x{height} pixels are none, or more than {MOST_PIXELS}")
            return width, height
        if marker == 0xFF:  # a fill byte before the marker
            at += 1
        elif marker in _STANDALONE:
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4])
    raise JpegError("broken JPEG: no frame header")


def head_length(data: bytes) -> int:
    """Return how many bytes come before the entropy-coded data; raise `JpegError` where there is none."""
    for marker, _, end in segments(data):
        if marker == _SCAN:
            return end
    raise JpegError("broken JPEG: no scan")


def segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Return each segment's marker, and where its body begins and ends, as far as they stand in a row.

    What lies beyond 64 KB is left out: heads are kept for the frames that follow.
    """
    at, most = 2, min(len(data), _LONGEST_KEPT)
    while at + 4 <= most and data[at] == 0xFF:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        yield data[at + 1], at + 4, end
        at = end
