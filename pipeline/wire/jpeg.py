"""A JPEG's size and segments, read without decoding it (ITU-T T.81, annex B).

This is the only reader that decides what a JPEG is. It accepts less than the decoders do, so that none of
them can find another frame header than the one that was measured here.
"""

import re
from collections.abc import Iterator
from struct import Struct
from typing import Final, Generic, TypeVar

from pipeline.wire import largest

START: Final = b"\xff\xd8"
END: Final = b"\xff\xd9"

LONGEST_SIDE: Final = 65_500
"""The greatest width or height that libjpeg writes and reads; the format's own limit is 65,535."""

MOST_SCANS: Final = 50
"""The most scans of a JPEG."""

MOST_PASSES: Final = 10
"""The most scans of the largest picture that is accepted; smaller ones may have more. Encoders write 10."""

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
FRAME_HEADERS: Final = frozenset([0xC0, 0xC1, 0xC2])
"""Baseline, extended and progressive. Browsers show no others."""

_PROGRESSIVE: Final = 0xC2
_END_OF_IMAGE: Final = END[1]
_TABLES: Final = APPLICATION_DATA | {HUFFMAN_TABLES, QUANTIZATION_TABLES, RESTART_INTERVAL, COMMENT}
_WITH_BODY: Final = _TABLES | FRAME_HEADERS | {START_OF_SCAN}
_WITHOUT_BODY: Final = frozenset([0x01, *range(0xD0, 0xD8)])  # TEM, RST0 to RST7
# Any number of 0xff may precede a marker. In entropy-coded data, 0xff 0x00 stands for a byte.
_MARKER: Final = re.compile(rb"\xff+([^\xff])", re.DOTALL)
_MARKER_IN_SCAN: Final = re.compile(rb"\xff[^\xff\x00\xd0-\xd7]", re.DOTALL)

# Metadata may precede the frame header, up to a limit.
_LONGEST_SEARCH: Final = 256 * 1024
_MOST_MARKERS: Final = 1000
LONGEST_HEAD: Final = 64 * 1024
"""The largest head that `head_length` accepts, in bytes: heads are kept for the frames that follow."""
# Some encoders pad the file; the end marker is searched for in this many last bytes.
_TAIL: Final = 64
_UNIT: Final = 10  # blocks in a unit of several components, at most (T.81, B.2.3)
_FRAME: Final = Struct(">BHHB")  # bits per sample, height, width, components
_HEADS: Final = 32  # that are remembered
_SHORT: Final = 4096  # bytes of such a head, at most


_Known = TypeVar("_Known")


class JpegError(ValueError):
    """The bytes are not a complete JPEG; the text says what is wrong."""


class TooLargeError(JpegError):
    """A JPEG has more pixels, bytes or scans than are accepted."""


class _Heads(Generic[_Known]):
    """What the last heads say: a camera's frames begin alike."""

    def __init__(self, nothing: _Known) -> None:
        self._nothing = nothing
        self._known: tuple[tuple[bytes, _Known], ...] = ()

    def get(self, data: bytes) -> _Known:
        """Return what is known of a picture that begins with a known head, or otherwise `nothing`."""
        for head, known in self._known:
            if data.startswith(head):
                return known
        return self._nothing

    def add(self, head: bytes, known: _Known) -> None:
        """Remember a head; from any thread, of which one may be too late."""
        if len(head) <= _SHORT:
            self._known = ((head, known), *self._known[: _HEADS - 1])


# Of pictures with one scan: all that is checked but for their length and end follows from the head.
_sizes: Final = _Heads((0, 0))
_lengths: Final = _Heads(0)


def size(data: bytes, most: int = largest.MOST_PIXELS) -> tuple[int, int]:
    """Return a complete JPEG's (width, height) in pixels; raise `JpegError` for anything else.

    It has at most `most` pixels. Behind the only scan of a picture, no decoder looks for anything.
    """
    width, height = _sizes.get(data)
    is_whole = len(data) <= largest.jpeg_bytes(most) and data.rfind(END, -_TAIL) >= 0
    if is_whole and 0 < width * height <= most:
        return width, height
    found = segments(data, _LONGEST_SEARCH)
    if len(data) > largest.jpeg_bytes(most):
        raise TooLargeError(
            f"JPEG of {len(data)} bytes, expected at most {largest.jpeg_bytes(most)} (MAXPIXELS={most})"
        )
    if data.rfind(END, -_TAIL) < 0:
        raise JpegError(f"truncated JPEG: {len(data)} bytes without an end marker")
    width = height = process = 0
    blocks: dict[int, int] = {}
    for marker, begin, end in found:
        if marker in FRAME_HEADERS:
            if process:
                raise JpegError("broken JPEG: a second frame header")
            process = marker
            width, height, blocks = _frame(data[begin + 4 : end], most)
        elif marker == START_OF_SCAN:
            if not process:
                break
            count = data[begin + 4] if end > begin + 4 else 0
            if not 0 < count <= len(blocks) or end != begin + 8 + 2 * count:
                raise JpegError(f"broken JPEG: a scan of {count} components, expected 1 to {len(blocks)}")
            _check_scan(data[begin + 4 : end], blocks)
            if process == _PROGRESSIVE or count < len(blocks):
                _check_scans(data, end, blocks, min(MOST_SCANS, MOST_PASSES * most // (width * height)))
            else:
                _sizes.add(data[:end], (width, height))
            return width, height
    raise JpegError("broken JPEG: no scan" if process else "broken JPEG: no frame header")


def head_length(data: bytes) -> int:
    """Return how many bytes precede the entropy-coded data; raise `JpegError` where there is none."""
    if length := _lengths.get(data):
        return length
    for marker, _, end in segments(data, LONGEST_HEAD):
        if marker == START_OF_SCAN:
            _lengths.add(data[:end], end)
            return end
    raise JpegError("broken JPEG: no scan")


def bad_start(data: bytes) -> str:
    """Return what is wrong with data that do not begin with `START`."""
    return f"not a JPEG: begins with {data[:4].hex() or 'nothing'}, expected ffd8"


def segments(data: bytes, most: int | None = None) -> Iterator[tuple[int, int, int]]:
    """Return the marker of each segment, where it begins, and where its body ends.

    The body follows the two bytes of the marker and the two of the length. Fill bytes and markers without a
    body are skipped. The start of scan is the last segment. A segment that is not complete within the data's
    first `most` bytes is left out, with all that follow. Raises `JpegError` for data that is not a JPEG; the
    iterator does where a marker is missing, or is not one that may stand there.
    """
    if not data.startswith(START):
        raise JpegError(bad_start(data))
    return _segments(data, len(data) if most is None else min(len(data), most))


def _segments(data: bytes, most: int) -> Iterator[tuple[int, int, int]]:
    at = len(START)
    for _ in range(_MOST_MARKERS):
        if at + 4 > most:
            return
        marker = data[at + 1]
        if data[at] != 0xFF or marker == 0xFF:
            found = _MARKER.match(data, at, most)
            if found is None:
                if data[at] == 0xFF:
                    return
                raise JpegError(f"broken JPEG: no marker at byte {at}")
            at, marker = found.end() - 2, found[1][0]
        if marker in _WITHOUT_BODY:
            at += 2
            continue
        if marker == _END_OF_IMAGE:
            return
        if marker not in _WITH_BODY:
            raise JpegError(f"broken JPEG: marker {marker:#04x} at byte {at}, expected that of a segment")
        if at + 4 > most:
            return
        end = at + 2 + (data[at + 2] << 8 | data[at + 3])
        if not at + 4 <= end <= most:
            return
        yield marker, at, end
        if marker == START_OF_SCAN:
            return
        at = end


def _frame(header: bytes, most: int) -> tuple[int, int, dict[int, int]]:
    """Return the width, the height and the blocks of each component in the body of a frame header."""
    if len(header) < _FRAME.size:
        raise JpegError("broken JPEG: an incomplete frame header")
    bits, height, width, components = _FRAME.unpack_from(header)
    if not width * height:
        raise JpegError(f"broken JPEG: {width}x{height} pixels")
    if width * height > most:
        raise TooLargeError(f"{width}x{height} pixels, expected at most {most} in total (MAXPIXELS)")
    if bits != 8 or components not in (1, 3, 4) or len(header) != _FRAME.size + 3 * components:
        raise JpegError(
            f"JPEG of {bits} bits and {components} components, expected 8 bits and 1, 3 or 4 components"
        )
    across, down = ([factors >> 4 for factors in header[7::3]], [factors & 15 for factors in header[7::3]])
    if not all(0 < factor <= 4 for factor in across + down):
        raise JpegError("broken JPEG: sampling factors other than 1 to 4")
    if any(max(factors) % factor for factors in (across, down) for factor in factors):
        raise JpegError(
            "JPEG with sampling factors that are not divisors of the largest one: no decoder reads it"
        )
    blocks = {kind: x * y for kind, x, y in zip(header[6::3], across, down, strict=True)}
    if len(blocks) != components:
        raise JpegError("broken JPEG: several components of one name")
    return width, height, blocks


def _check_scan(header: bytes, blocks: dict[int, int]) -> None:
    """Raise `JpegError` if a scan's components, in the body of its header, have too many blocks together."""
    count = header[0] if header else 0
    if count > 1 and sum(blocks.get(kind, 0) for kind in header[1 : 1 + 2 * count : 2]) > _UNIT:
        raise JpegError(
            f"JPEG with sampling factors of more than {_UNIT} blocks together: set 4:2:0 or 4:2:2"
        )


def _check_scans(data: bytes, at: int, blocks: dict[int, int], most: int) -> None:
    """Raise `JpegError` unless at most `most` scans in all, their tables and an end follow the first one."""
    scans = 1
    for _ in range(_MOST_MARKERS):
        found = _MARKER_IN_SCAN.search(data, at)
        if found is None:
            raise JpegError("truncated JPEG: no end marker")
        begin, at = found.span()
        marker = data[begin + 1]
        if marker == _END_OF_IMAGE:
            return
        if marker in _WITHOUT_BODY:
            continue
        if marker != START_OF_SCAN and marker not in _TABLES:
            raise JpegError(f"broken JPEG: marker {marker:#04x} at byte {begin}, behind the first scan")
        scans += marker == START_OF_SCAN
        if scans > most:
            raise TooLargeError(f"JPEG of more than {most} scans, which is the most for its size (MAXPIXELS)")
        end = at + max(2, int.from_bytes(data[at : at + 2]))
        if marker == START_OF_SCAN:
            _check_scan(data[at + 2 : end], blocks)
        at = end
    raise JpegError(f"broken JPEG: more than {_MOST_MARKERS} markers")
