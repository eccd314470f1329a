"""The JPEGs of a Motion JPEG stream, made complete in themselves (ITU-T T.81, annex B)."""

from functools import cache
from typing import Final, Literal

import numpy as np

from pipeline.wire import jpeg, picture
from pipeline.wire.jpeg import END, START, JpegError

_METADATA: Final = jpeg.APPLICATION_DATA - {jpeg.JFIF, jpeg.ADOBE} | {jpeg.COMMENT}

_ORIENTATION: Final = 0x0112


def self_contained(data: bytes) -> bytes:
    """Return a camera's JPEG without metadata and padding, and with its Huffman tables.

    A JPEG without Huffman tables gets the standard's (annex K), as Motion JPEG requires. Adobe's segment
    stays, because it says how the colours are coded. Raises `JpegError` for data that is not a complete JPEG.
    """
    kept, has_tables = [START], False
    for marker, begin, end in jpeg.segments(data):
        if marker == jpeg.START_OF_SCAN:
            image_end = data.rfind(END, end)  # searched from behind, where it is
            if image_end < 0:
                raise JpegError(f"truncated JPEG: {len(data)} bytes without an end marker")
            tables = b"" if has_tables else _standard_tables()
            return b"".join([*kept, tables, data[begin:image_end], END])
        segment = data[begin:end]
        if marker not in _METADATA and not _is_foreign(marker, segment):
            has_tables |= marker == jpeg.HUFFMAN_TABLES
            kept.append(segment)
    raise JpegError("broken JPEG: no scan")


def components(data: bytes) -> int:
    """Return the number of colour components: 1 for grey, 3 for YCbCr, 4 for CMYK."""
    for marker, begin, end in jpeg.segments(data):
        if marker in jpeg.FRAME_HEADERS and end > begin + 9:
            return data[begin + 9]
    raise JpegError("broken JPEG: no frame header")


def is_upright(data: bytes) -> bool:
    """Return whether the picture is stored as it is to be shown (tag 0x0112 of Exif 2.3, table 4)."""
    for marker, begin, end in jpeg.segments(data):
        if marker == jpeg.EXIF and data[begin + 4 : begin + 10] == b"Exif\0\0":
            return _orientation(data[begin + 10 : end]) in (0, 1)
    return True


def _orientation(tiff: bytes) -> int:
    """Return the orientation, 1 to 8; 0 if it is not stated. `tiff` is a TIFF header and its directory."""
    order: Literal["little", "big"] = "little" if tiff[:2] == b"II" else "big"
    at = int.from_bytes(tiff[4:8], order)
    count = int.from_bytes(tiff[at : at + 2], order)
    for entry in range(at + 2, min(at + 2 + 12 * count, len(tiff) - 11), 12):
        if int.from_bytes(tiff[entry : entry + 2], order) == _ORIENTATION:
            return int.from_bytes(tiff[entry + 8 : entry + 10], order)
    return 0


def _is_foreign(marker: int, segment: bytes) -> bool:
    # AVI1 and others use JFIF's marker for data that means nothing outside their own files.
    return marker == jpeg.JFIF and segment[4:9] != b"JFIF\0"


@cache
def _standard_tables() -> bytes:
    data = picture.encode(np.zeros((16, 16, 3), np.uint8), 85)
    return b"".join(
        data[begin:end] for marker, begin, end in jpeg.segments(data) if marker == jpeg.HUFFMAN_TABLES
    )
