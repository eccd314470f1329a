import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire import jpeg


def jpeg_of(width: int, height: int, *options: int, channels: int = 3) -> bytes:
    shape = (height, width, channels) if channels > 1 else (height, width)
    image = np.random.default_rng(width * height).integers(0, 256, shape, np.uint8)
    _, data = cv2.imencode(".jpg", image, options)
    return data.tobytes()


@given(st.integers(1, 300), st.integers(1, 300))
def test_the_size_is_that_of_the_picture(width: int, height: int) -> None:
    assert jpeg.size(jpeg_of(width, height)) == (width, height)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 65_500), (65_500, 1), (257, 255), (1920, 1080)])
def test_the_size_of_extreme_pictures_is_read(width: int, height: int) -> None:
    assert jpeg.size(jpeg_of(width, height)) == (width, height)


@pytest.mark.parametrize(
    "options",
    [
        (cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        (cv2.IMWRITE_JPEG_OPTIMIZE, 1),
        (cv2.IMWRITE_JPEG_RST_INTERVAL, 1),
        (cv2.IMWRITE_JPEG_QUALITY, 1),
        (cv2.IMWRITE_JPEG_QUALITY, 100),
        (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
    ],
)
@pytest.mark.parametrize("channels", [1, 3], ids=["grey", "colour"])
def test_the_size_is_read_however_the_picture_was_encoded(options: tuple[int, ...], channels: int) -> None:
    data = jpeg_of(171, 93, *options, channels=channels)

    assert jpeg.size(data) == (171, 93)


def test_a_thumbnail_inside_does_not_pass_for_the_picture() -> None:
    data, thumbnail = jpeg_of(171, 93), jpeg_of(16, 8)
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2) + thumbnail

    assert jpeg.size(data[:2] + segment + data[2:]) == (171, 93)


def test_fill_bytes_before_a_marker_are_skipped() -> None:
    data = jpeg_of(171, 93)

    assert jpeg.size(data[:2] + b"\xff\xff\xff" + data[2:]) == (171, 93)


def test_a_marker_without_a_length_is_skipped() -> None:
    data = jpeg_of(171, 93)

    assert jpeg.size(data[:2] + b"\xff\x01" + data[2:]) == (171, 93)


def test_padding_after_the_end_is_allowed() -> None:
    data = jpeg_of(171, 93)

    assert jpeg.size(data + bytes(62)) == (171, 93)


def test_an_end_far_from_the_end_does_not_count() -> None:
    data = jpeg_of(171, 93)

    with pytest.raises(jpeg.JpegError, match="without an end marker"):
        jpeg.size(data + bytes(63))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "begins with nothing"),
        (b"\x89PNG", "begins with 89504e47"),
        (b"\xff\xd8\xff\xe0", "truncated JPEG: 4 bytes"),
        (b"\xff\xd8\xff\xd9", "no frame header"),
        (b"\xff\xd8" + bytes(20) + b"\xff\xd9", "no marker at byte 2"),
        (b"\xff\xd8\xff\xc0\x00\x11\x08\x00\x00\x00\x10\xff\xd9", "16x0 pixels"),
        (b"\xff\xd8\xff\xc0\x00\x11\x08\x00\x10\x00\x00\xff\xd9", "0x16 pixels"),
        (b"\xff\xd8\xff\xc0\x00\x11\x08\x75\x30\x75\x30\xff\xd9", "30000x30000 pixels"),
        (b"\xff\xd8" + b"\xff" * 10_000_000 + b"\xff\xd9", "no frame header"),
        (b"\xff\xd8\xff\xe0\xff\xff" + bytes(20) + b"\xff\xd9", "no frame header"),
    ],
)
def test_what_is_no_picture_is_told_so(data: bytes, text: str) -> None:
    with pytest.raises(jpeg.JpegError, match=text):
        jpeg.size(data)


@pytest.mark.parametrize("marker", [0xC4, 0xC8, 0xCC])
def test_tables_are_not_taken_for_a_frame_header(marker: int) -> None:
    data = bytes([0xFF, 0xD8, 0xFF, marker, 0, 9, 1, 2, 3, 4, 5, 6, 7, 0xFF, 0xD9])

    with pytest.raises(jpeg.JpegError):
        jpeg.size(data)


@given(st.lists(st.sampled_from([b"\xff", b"\xd8", b"\xc0", b"\xe0", b"\x00", b"\x01", b"\xd9", b"\x02"])))
def test_no_markers_raise_anything_but_a_jpeg_error(parts: list[bytes]) -> None:
    data = b"\xff\xd8" + b"".join(parts) + b"\xff\xd9"

    try:
        width, height = jpeg.size(data)
    except jpeg.JpegError:
        return
    assert width > 0
    assert height > 0
