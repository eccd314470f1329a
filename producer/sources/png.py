"""PNGs with nothing in them that makes a decoder work or store more than their pictures need.

A few kilobytes of deflated data may unpack to gigabytes. Decoders unpack all of it, even what they drop.
https://www.w3.org/TR/png-3/
"""

import zlib
from collections.abc import Iterator
from struct import Struct
from typing import Final

from pipeline.wire.picture import PictureError

START: Final = b"\x89PNG\r\n\x1a\n"

MOST_CHUNKS: Final = 100_000
"""The most chunks of a PNG."""

MOST_UNPACKED: Final = 1 << 30
"""The most bytes of all frames of an animated PNG together, unpacked."""

_STILL: Final = frozenset([b"IHDR", b"PLTE", b"tRNS", b"eXIf", b"IDAT", b"IEND"])
_MOVING: Final = _STILL | {b"acTL", b"fcTL", b"fdAT"}
_CHUNK: Final = Struct(">I4s")
_HEADER: Final = Struct(">IIBBxxx")  # width, height, bits of a sample, kind of colour
_SAMPLES: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a pixel, by kind of colour
_NUMBER: Final = 4  # bytes in front of a later frame's data
_PART: Final = 1 << 16  # bytes that are read at a time: what an inflater has not read yet, it copies
_STEP: Final = 1 << 18  # bytes that are unpacked at a time


def plain(data: bytes, most: int, *, animated: bool = False) -> bytes:
    """Return a PNG without text, profiles and other data that is not needed to show it.

    If not `animated`, only its first picture is left. Raises `PictureError` if it has more than `most`
    pixels, if a picture unpacks to more than its size needs, or if the data is not a PNG.
    """
    if not data.startswith(START):
        raise PictureError("not a PNG")
    kept, allowance, unpacked = [START], 0, 0
    picture: _Unpacked | None = None
    for kind, begin, end in _chunks(data):
        if kind not in (_MOVING if animated else _STILL):
            continue
        if kind == b"IHDR":
            if allowance:
                raise PictureError("broken PNG: a second header")
            allowance = _needed(data[begin:end], most)
        elif kind == b"fcTL":
            picture = None
        elif kind in (b"IDAT", b"fdAT"):
            picture = picture or _Unpacked(allowance)
            unpacked += picture.add(data[begin + _NUMBER * (kind == b"fdAT") : end])
            if unpacked > max(allowance, MOST_UNPACKED):
                raise PictureError(
                    f"an animated PNG of more than {MOST_UNPACKED >> 20} MiB unpacked: send it as a video"
                )
        kept.append(data[begin - _CHUNK.size : end + 4])
        if kind == b"IEND":
            break
    return b"".join(kept)


class _Unpacked:
    """The deflated data of one picture, measured and thrown away."""

    def __init__(self, allowance: int) -> None:
        self._left = allowance
        self._inflater = zlib.decompressobj()

    def add(self, packed: bytes) -> int:
        """Return how many bytes the next part unpacks to; raise `PictureError` if those are too many."""
        before = self._left
        for at in range(0, len(packed), _PART):
            part = packed[at : at + _PART]
            while part and not self._inflater.eof:
                try:
                    self._left -= len(self._inflater.decompress(part, _STEP))
                except zlib.error:
                    raise PictureError("broken PNG: its data cannot be unpacked") from None
                if self._left < 0:
                    raise PictureError("a PNG that unpacks to more than its size needs")
                part = self._inflater.unconsumed_tail
        return before - self._left


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Return the kind of each chunk, and where its body begins and ends; an incomplete one is left out."""
    at = len(START)
    for _ in range(MOST_CHUNKS):
        if at + _CHUNK.size > len(data):
            return
        length, kind = _CHUNK.unpack_from(data, at)
        begin = at + _CHUNK.size
        at = begin + length + 4  # the checksum
        if at > len(data):
            return
        yield kind, begin, begin + length
    raise PictureError(f"a PNG of more than {MOST_CHUNKS} chunks")


def _needed(header: bytes, most: int) -> int:
    """Return the most bytes that a picture unpacks to; those of interlaced ones have more rows."""
    if len(header) != _HEADER.size:
        raise PictureError("broken PNG: an incomplete header")
    width, height, bits, colour = _HEADER.unpack(header)
    if width * height > most:
        raise PictureError(f"a PNG of {width} x {height} pixels, expected at most {most} (MAXPIXELS)")
    row = -(-width * bits * _SAMPLES.get(colour, 0) // 8)
    return int(height * (row + 4) + 16)
