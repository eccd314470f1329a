"""Make the frames of a Motion JPEG stream decodable on their own (ITU-T T.81, annex B)."""

from functools import cache
from typing import Final

import numpy as np

from pipeline.wire import picture
from pipeline.wire.jpeg import END, START, JpegError

_TABLES: Final = 0xC4
_SCAN: Final = 0xDA
_JFIF, _ADOBE, _COMMENT = 0xE0, 0xEE, 0xFE
_METADATA: Final = frozenset([*range(0xE1, 0xF0), _COMMENT]) - {_ADOBE}


def self_contained(data: bytes) -> bytes:
    """Return a camera's JPEG without metadata and padding, and with its Huffman tables.

    A JPEG without tables gets the standard ones (annex K), as is usual for Motion JPEG. Adobe's segment is
    kept because it gives the colour space. Raises `JpegError` if the data is not a JPEG, or is truncated.
    """
    if not data.startswith(START):
        raise JpegError(f"not a JPEG: expected ffd8 at the start, found {data[:4].hex() or 'nothing'}")
    kept, has_tables, at = [START], False, len(START)
    while data[at : at + 1] == b"\xff" and at + 4 <= len(data):
        marker, after = data[at + 1], at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if marker == 0xFF:  # a fill byte before the marker
            after = at + 1
        elif marker == _SCAN:
            end = data.rfind(END, after)  # searched backwards, because it comes last
            if end < 0:
                raise JpegError(f"truncated JPEG: {len(data)} bytes without an end marker")
            return b"".join([*kept, b"" if has_tables else _standard_tables(), data[at:end], END])
        elif marker not in _METADATA and not _is_foreign(data, at):
            has_tables |= marker == _TABLES
            kept.append(data[at:after])
        at = after
    raise JpegError("broken JPEG: it has no scan")


def _is_foreign(data: bytes, at: int) -> bool:
    # AVI1 and other formats use JFIF's marker for data that means nothing outside their own files.
    return data[at + 1] == _JFIF and data[at + 4 : at + 9] != b"JFIF\0"


@cache
def _standard_tables() -> bytes:
    data = picture.encode(np.zeros((16, 16, 3), np.uint8), 85)
    tables, at = b"", len(START)
    while data[at + 1] != _SCAN:
        after = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if data[at + 1] == _TABLES:
            tables += data[at:after]
        at = after
    return tables
