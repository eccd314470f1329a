"""The JPEGs of a Motion JPEG stream, made complete in themselves (ITU-T T.81, annex B)."""

from functools import cache
from typing import Final

import numpy as np

from pipeline.wire import jpeg, picture
from pipeline.wire.jpeg import END, START, JpegError

_METADATA: Final = jpeg.APPLICATION_DATA - {jpeg.JFIF, jpeg.ADOBE} | {jpeg.COMMENT}


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


def _is_foreign(marker: int, segment: bytes) -> bool:
    # AVI1 and others use JFIF's marker for data that means nothing outside their own files.
    return marker == jpeg.JFIF and segment[4:9] != b"JFIF\0"


@cache
def _standard_tables() -> bytes:
    data = picture.encode(np.zeros((16, 16, 3), np.uint8), 85)
    return b"".join(
        data[begin:end] for marker, begin, end in jpeg.segments(data) if marker == jpeg.HUFFMAN_TABLES
    )
