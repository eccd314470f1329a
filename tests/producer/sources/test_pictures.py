"""A camera's own pictures: which stay as they are, which are decoded, and which are refused."""

import struct

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire import jpeg, picture
from pipeline.wire.picture import Image, PictureError
from producer.sources.pictures import captured
from producer.sources.source import TooLargeError
from tests.jpegs import segment

WIDE: Image = np.zeros((32, 64, 3), np.uint8)
WIDE[:, :32] = 255  # the left half is white
JPEG = picture.encode(WIDE, 95)
ORDERS = {"<": b"II*\0", ">": b"MM\0*"}


def with_exif(orientation: int, order: str = "<", kind: int = 3) -> bytes:
    """Return the JPEG with an Exif segment of two entries, the second of which is the orientation."""
    entries = struct.pack(f"{order}HHII", 0x010F, 2, 4, 0) + struct.pack(
        f"{order}HHIHH", 0x0112, kind, 1, orientation, 0
    )
    tiff = ORDERS[order] + struct.pack(f"{order}IH", 8, 2) + entries + bytes(4)
    return JPEG[:2] + segment(jpeg.EXIF, b"Exif\0\0" + tiff) + JPEG[2:]


def white(image: Image) -> tuple[float, float]:
    """Return where the centre of the white half is, as (x, y) from 0 to 1."""
    rows, columns = np.nonzero(image[..., 0] > 128)
    return round(columns.mean() / image.shape[1], 1), round(rows.mean() / image.shape[0], 1)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("orientation", "size", "centre"),
    [
        (2, (64, 32), (0.7, 0.5)),
        (3, (64, 32), (0.7, 0.5)),
        (4, (64, 32), (0.2, 0.5)),
        (5, (32, 64), (0.5, 0.2)),
        (6, (32, 64), (0.5, 0.2)),
        (7, (32, 64), (0.5, 0.7)),
        (8, (32, 64), (0.5, 0.7)),
    ],
)
def test_a_jpeg_is_turned_as_its_exif_says(
    orientation: int, size: tuple[int, int], centre: tuple[float, float], order: str
) -> None:
    found = captured(with_exif(orientation, order), 7)

    assert (found.width, found.height, found.at) == (*size, 7)
    assert not isinstance(found.picture, bytes)
    assert found.picture.shape[:2] == size[::-1]
    assert white(found.picture) == pytest.approx(centre, abs=0.11)


@pytest.mark.parametrize(
    "data", [JPEG, with_exif(1), with_exif(0)], ids=["without Exif", "upright", "unknown"]
)
def test_an_upright_jpeg_stays_as_it_is(data: bytes) -> None:
    assert captured(data, 0).picture == JPEG


def test_a_grey_jpeg_stays_as_it_is() -> None:
    data = cv2.imencode(".jpg", WIDE[..., 0])[1].tobytes()

    assert captured(data, 0).picture == data


@pytest.mark.parametrize("form", [".png", ".bmp", ".webp", ".gif"])
def test_other_formats_are_decoded(form: str) -> None:
    found = captured(cv2.imencode(form, WIDE)[1].tobytes(), 0)

    assert (found.width, found.height) == (64, 32)
    assert not isinstance(found.picture, bytes)
    assert white(found.picture) == pytest.approx((0.2, 0.5), abs=0.11)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a picture",
        JPEG[:2],
        JPEG[:-40],
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n" + bytes(8) + struct.pack(">II", 65_000, 65_000) + bytes(100),
        b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + bytes(100),
        b"BM" + bytes(16) + struct.pack("<ii", 2**31 - 1, -(2**31)) + bytes(100),
        b"RIFF\xff\xff\xff\x7fWEBPVP8X" + bytes(8) + b"\xff" * 6 + bytes(100),
        b"RIFF\xff\xff\xff\x7fWEBPVP8L\0\0\0\0/\xff\xff\xff\xff" + bytes(100),
        # Headers whose sizes other readers look for elsewhere.
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"gAMA", 8, 8) + bytes(100),
        b"BM" + bytes(12) + struct.pack("<IHHHH", 12, 8, 8, 1, 24) + bytes(300),
        b"RIFF\x60\0\0\0WEBP/\xff\xff\xff\x0f" + bytes(9) + struct.pack("<HH", 8, 8) + bytes(100),
        b"RIFF\x60\0\0\0WEBPALPH" + bytes(10) + struct.pack("<HH", 8, 8) + bytes(100),
        # Formats that OpenCV reads, and cameras do not send.
        *(cv2.imencode(form, WIDE)[1].tobytes() for form in (".tiff", ".jp2", ".ppm", ".hdr", ".avif")),
    ],
)
def test_what_is_broken_or_too_large_is_refused_before_it_is_decoded(data: bytes) -> None:
    with pytest.raises(PictureError):
        captured(data, 0)


@pytest.mark.parametrize("form", [".jpg", ".png", ".bmp", ".webp", ".gif"])
def test_a_picture_has_as_many_pixels_as_are_accepted(form: str) -> None:
    data = cv2.imencode(form, WIDE)[1].tobytes()

    assert captured(data, 0, 64 * 32).width == 64
    with pytest.raises(TooLargeError, match="MAXPIXELS"):
        captured(data, 0, 64 * 32 - 1)


@given(st.binary(max_size=200), st.sampled_from([JPEG, with_exif(6), b"\x89PNG\r\n\x1a\n", b"BM", b"RIFF"]))
def test_damage_raises_nothing_but_a_picture_error(tail: bytes, head: bytes) -> None:
    for data in (head + tail, head[:-20] + tail, tail):
        try:
            captured(data, 0)
        except PictureError:
            continue


@given(st.data())
def test_damaged_exif_is_ignored_or_followed(data: st.DataObject) -> None:
    whole = bytearray(with_exif(6))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(4, 50))] = data.draw(st.integers(0, 255))
    try:
        found = captured(bytes(whole), 0)
    except PictureError:
        return
    assert {found.width, found.height} == {32, 64}
