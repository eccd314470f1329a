"""A JPEG's head: how its pixels are coded, and at which quality (ITU-T T.81, annex B)."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from pipeline.wire import jpeg, picture

_BASELINE, _EXTENDED, _PROGRESSIVE = 0xC0, 0xC1, 0xC2
_SEQUENTIAL: Final = bytes([0, 63, 0])  # a scan with all coefficients at once
# 4:2:0, 4:2:2, 4:4:0, 4:1:1 and 4:4:4: those that OpenCV writes.
_LUMA: Final = frozenset([0x22, 0x21, 0x12, 0x41, 0x11])
_CHROMA: Final = 0x11


class UnfitError(ValueError):
    """A JPEG's tiles cannot be exchanged one by one; `reason` is one word for the counters.

    `quality` is the JPEG's own, or None where it is not one of `pipeline.wire.picture`'s.
    """

    def __init__(self, reason: str, quality: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.quality = quality


class Component(NamedTuple):
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
    """The part of a baseline JPEG in YCbCr that precedes the entropy-coded data.

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

    @property
    def sampling(self) -> int:
        """The sampling factors of luma; those of chroma are 1."""
        return self.components[0].sampling

    @property
    def mcu(self) -> tuple[int, int]:
        """The width and the height of an MCU, in pixels."""
        return 8 * (self.sampling >> 4), 8 * (self.sampling & 15)

    @property
    def row(self) -> int:
        """The number of MCUs in a row."""
        return -(-self.width // self.mcu[0])

    @property
    def rows(self) -> int:
        """The number of rows of MCUs."""
        return -(-self.height // self.mcu[1])


def read(data: bytes) -> Head:
    """Read a JPEG's head; raise `UnfitError` unless it is baseline, 8 bits, YCbCr and one scan."""
    try:
        return _read(data[: jpeg.head_length(data)])
    except jpeg.JpegError:
        raise UnfitError("markers") from None


@lru_cache(maxsize=64)
def quality_of(components: tuple[Component, ...]) -> int | None:
    """Return the quality at which `pipeline.wire.picture` quantizes like this, or None."""
    tables = [component.quantization for component in components]
    return next((quality for quality in range(100, 0, -1) if _quantization(quality) == tables), None)


@lru_cache(maxsize=100)
def _quantization(quality: int) -> list[bytes]:
    data = picture.encode(np.zeros((16, 16, 3), np.uint8), quality)
    return [component.quantization for component in read(data).components]


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
    luma, *chroma = (component.sampling for component in components)
    if not all(_is_quantization_table(component.quantization) for component in components):
        raise UnfitError("tables")
    if luma not in _LUMA or any(sampling != _CHROMA for sampling in chroma):
        raise UnfitError("sampling")
    height, width = int.from_bytes(frame[1:3]), int.from_bytes(frame[3:5])
    return Head(len(head), width, height, interval, size_at, components)


def _check_process(marker: int, body: bytes) -> None:
    if marker != _BASELINE:
        raise UnfitError({_PROGRESSIVE: "progressive", _EXTENDED: "extended"}[marker])
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


def _is_quantization_table(table: bytes) -> bool:
    values = table if len(table) == 64 else memoryview(table).cast("H") if len(table) == 128 else b""
    return len(values) == 64 and 0 not in values


def _quantization_tables(body: bytes) -> dict[int, bytes]:
    tables, at = {}, 0
    while at < len(body):
        length = 128 if body[at] >> 4 else 64  # two bytes per value, or one
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
