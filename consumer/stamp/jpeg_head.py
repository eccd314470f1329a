"""A JPEG's head: how its pixels are coded, and at which quality (ITU-T T.81, annex B)."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from pipeline.wire import jpeg, picture

_BASELINE, _EXTENDED, _PROGRESSIVE = 0xC0, 0xC1, 0xC2
_ARITHMETIC: Final = frozenset(range(0xC9, 0xD0)) & jpeg.FRAME_HEADERS
_SEQUENTIAL: Final = bytes([0, 63, 0])  # a scan with all coefficients at once
_420: Final = (0x22, 0x11, 0x11)


class UnfitError(ValueError):
    """A JPEG's tiles cannot be exchanged one by one; `reason` is one word for the counters.

    `quality` is the JPEG's own, or None where it is not one of `pipeline.wire.picture`'s.
    """

    def __init__(self, reason: str, quality: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.quality = quality


@dataclass(frozen=True, slots=True)
class Component:
    """A colour component: its number, its sampling factors, and its tables as the file has them.

    `sampling` has the horizontal factor in the upper four bits and the vertical one in the lower.
    """

    number: int
    sampling: int
    quantization: bytes
    dc: bytes
    ac: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """The part of a baseline JPEG with 4:2:0 subsampling that precedes the entropy-coded data.

    `length` is in bytes, `width` and `height` are in pixels, and `interval` is the restart interval in MCUs
    (0: none). `size_at` is the position of the height and the width, two bytes each. JPEGs with equal
    components code pixels the same way.
    """

    length: int
    width: int
    height: int
    interval: int
    size_at: int
    components: tuple[Component, ...]


def read(data: bytes) -> Head:
    """Read a JPEG's head; raise `UnfitError` unless it is baseline, 8 bits, YCbCr 4:2:0 and one scan."""
    try:
        return _read(data[: jpeg.head_length(data)])
    except jpeg.JpegError:
        raise UnfitError("markers") from None


@lru_cache(maxsize=64)
def quality_of(components: tuple[Component, ...]) -> int | None:
    """Return the quality at which `pipeline.wire.picture` codes pixels like this, or None."""
    return next((quality for quality in range(100, 0, -1) if _ours(quality) == components), None)


@lru_cache(maxsize=100)
def _ours(quality: int) -> tuple[Component, ...]:
    return read(picture.encode(np.zeros((16, 16, 3), np.uint8), quality)).components


@lru_cache(maxsize=64)
def _read(head: bytes) -> Head:
    quantization: dict[int, bytes] = {}
    huffman: dict[int, bytes] = {}
    frame, scan, interval, size_at = b"", b"", 0, 0
    for marker, begin, end in jpeg.segments(head):
        body = head[begin + 4 : end]
        if marker in jpeg.FRAME_HEADERS:
            _check_process(marker, body)
            frame, size_at = body, begin + 5
        elif marker == jpeg.QUANTIZATION_TABLES:
            quantization |= _quantization_tables(body)
        elif marker == jpeg.HUFFMAN_TABLES:
            huffman |= _huffman_tables(body)
        elif marker == jpeg.RESTART_INTERVAL:
            interval = int.from_bytes(body)
        elif marker == jpeg.START_OF_SCAN:
            scan = body
        elif marker == jpeg.ADOBE:  # other colours
            raise UnfitError("colours")
        elif marker == jpeg.EXIF and body.startswith(b"Exif"):  # a picture that may have to be rotated
            raise UnfitError("exif")
    components = _components(frame, scan, quantization, huffman)
    if tuple(component.sampling for component in components) != _420:
        raise UnfitError("sampling")
    height, width = int.from_bytes(frame[1:3]), int.from_bytes(frame[3:5])
    return Head(len(head), width, height, interval, size_at, components)


def _check_process(marker: int, body: bytes) -> None:
    if marker in _ARITHMETIC:
        raise UnfitError("arithmetic")
    if marker != _BASELINE:
        reasons = {_PROGRESSIVE: "progressive", _EXTENDED: "extended"}
        raise UnfitError(reasons.get(marker, "process"))
    if len(body) < 6 or body[0] != 8:
        raise UnfitError("precision")


def _components(
    frame: bytes, scan: bytes, quantization: dict[int, bytes], huffman: dict[int, bytes]
) -> tuple[Component, ...]:
    fields = [frame[at : at + 3] for at in range(6, len(frame), 3)]
    chosen = [scan[at : at + 2] for at in range(1, len(scan) - 3, 2)]
    # Some decoders assume RGB unless the components' numbers are 1, 2 and 3.
    if [field[0] for field in fields] != [1, 2, 3] or [pair[0] for pair in chosen] != [1, 2, 3]:
        raise UnfitError("colours")
    if scan[-3:] != _SEQUENTIAL:
        raise UnfitError("process")
    try:
        return tuple(
            Component(
                number, sampling, quantization[table], huffman[pair[1] >> 4], huffman[16 | pair[1] & 15]
            )
            for (number, sampling, table), pair in zip(fields, chosen, strict=True)
        )
    except (KeyError, ValueError):
        raise UnfitError("tables") from None


def _quantization_tables(body: bytes) -> dict[int, bytes]:
    tables, at = {}, 0
    while at < len(body):
        length = 128 if body[at] >> 4 else 64
        tables[body[at] & 15] = body[at + 1 : at + 1 + length]
        at += 1 + length
    return tables


def _huffman_tables(body: bytes) -> dict[int, bytes]:
    tables, at = {}, 0
    while at < len(body):
        end = at + 17 + sum(body[at + 1 : at + 17])
        tables[body[at]] = body[at + 1 : end]  # DC tables are 0 to 15, AC tables 16 to 31
        at = end
    return tables
