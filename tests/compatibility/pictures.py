"""The pictures that the cameras send, in the forms in which cameras send them."""

import struct
from typing import Final

import cv2
import numpy as np

from pipeline.wire import picture
from tests.compatibility.situation import LEVELS, SIZE
from tests.jpegs import segment, segments
from tests.producer.sources.videos import grey

IMAGES: Final = [grey(level, *SIZE) for level in LEVELS]
JPEGS: Final = [picture.encode(image, 85) for image in IMAGES]


def encoded(form: str, *options: int) -> list[bytes]:
    """Return the pictures as OpenCV writes them to files whose names end so."""
    return [cv2.imencode(form, image, options)[1].tobytes() for image in IMAGES]


def monochrome() -> list[bytes]:
    """Return JPEGs with a single component."""
    return [cv2.imencode(".jpg", image[:, :, 0])[1].tobytes() for image in IMAGES]


def without_tables(data: bytes) -> bytes:
    """Return a JPEG without its Huffman tables."""
    found = list(segments(data))
    return data[:2] + b"".join(data[a:b] for marker, a, b in found if marker != 0xC4) + data[found[-1][2] :]


def turned(data: bytes, orientation: int) -> bytes:
    """Return a JPEG whose Exif says that it is to be turned."""
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    return data[:2] + segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\x01\0" + entry + bytes(4)) + data[2:]


def cmyk(level: int) -> bytes:
    """Return a grey JPEG in CMYK, inverted as Adobe writes it: four scans, one for each component."""
    white, key = (
        cv2.imencode(".jpg", np.full(SIZE[::-1], value, np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 95])[
            1
        ].tobytes()
        for value in (255, level)
    )
    found = {marker: white[begin:end] for marker, begin, end in segments(white)}
    tables = [white[begin:end] for marker, begin, end in segments(white) if marker in (0xDB, 0xC4)]
    width, height = SIZE
    components = b"".join(bytes((number, 0x11, 0)) for number in range(1, 5))
    frame = segment(0xC0, struct.pack(">BHHB", 8, height, width, 4) + components)
    scans = []
    for number, data in enumerate((white, white, white, key), 1):
        *_, (_, _, end) = segments(data)
        scans.append(segment(0xDA, bytes((1, number, 0, 0, 63, 0))) + data[end:-2])
    assert found
    adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0\0")
    return b"\xff\xd8" + adobe + b"".join(tables) + frame + b"".join(scans) + b"\xff\xd9"


def claiming(data: bytes, width: int, height: int) -> bytes:
    """Return a JPEG that states another size."""
    begin = next(begin for marker, begin, _ in segments(data) if marker == 0xC0)
    return data[: begin + 5] + struct.pack(">HH", height, width) + data[begin + 9 :]
