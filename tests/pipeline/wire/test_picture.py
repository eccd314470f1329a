import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire import picture
from pipeline.wire.picture import Image, PictureError
from tests.jpegs import segments

SIZES = [(1, 1), (16, 16), (17, 16), (16, 17), (64, 48), (70, 33), (250, 205), (1280, 720)]


def gradient(width: int, height: int) -> Image:
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.dstack([x, y, (x + y) / 2]).astype(np.uint8)


def bodies(data: bytes, marker: int) -> list[bytes]:
    """Return the bodies of the segments with that marker."""
    return [data[begin + 4 : end] for found, begin, end in segments(data) if found == marker]


def restarts(data: bytes) -> list[int]:
    """Return the numbers of the restart markers in the entropy-coded data."""
    *_, (_, _, start) = segments(data)
    # Within the data, an FF that is not part of a marker is followed by a zero.
    return [
        byte - 0xD0
        for before, byte in zip(data[start:-2], data[start + 1 : -2], strict=False)
        if before == 0xFF and byte
    ]


@pytest.mark.parametrize(
    ("size", "interval"),
    [
        *((size, None) for size in SIZES),
        ((1, 1), 4),
        ((70, 33), 1),
        ((70, 33), 4),  # no part of a row of five MCUs
        ((1280, 720), 4),
    ],
)
def test_restart_markers_follow_each_other_at_the_interval(
    size: tuple[int, int], interval: int | None
) -> None:
    width, height = size

    data = picture.encode(gradient(width, height), 85, interval)

    units = interval or picture.restart_interval(width)
    rows, columns = -(-height // 16), -(-width // 16)
    assert bodies(data, 0xDD) == [units.to_bytes(2)]
    assert restarts(data) == [number % 8 for number in range(-(-rows * columns // units) - 1)]


@pytest.mark.parametrize(
    ("width", "units"),
    [
        *[(1, 1), (16, 1), (17, 2), (128, 8), (129, 9), (256, 8)],
        *[(640, 8), (1280, 16), (1920, 24), (3840, 48), (7680, 96)],
        (37 * 16, 37),  # a prime number has no other part
    ],
)
def test_a_row_has_five_tiles_where_possible(width: int, units: int) -> None:
    assert picture.restart_interval(width) == units


@given(st.integers(1, 4096))
def test_tiles_are_at_most_five_equal_parts_of_a_row_and_at_least_eight_units_wide(row: int) -> None:
    units = picture.restart_interval(row * 16)

    assert row % units == 0
    assert row // units <= 5
    assert min(row, 8) <= units <= row
    assert picture.restart_interval(row * 16 - 15) == units


def test_a_unit_is_sixteen_by_sixteen_pixels() -> None:
    data = picture.encode(gradient(64, 48), 85)

    (frame_header,) = bodies(data, 0xC0)
    samplings = [frame_header[at] for at in (7, 10, 13)]
    assert samplings == [0x22, 0x11, 0x11]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_an_encoded_picture_decodes_to_about_the_same(width: int, height: int) -> None:
    image = gradient(width, height)

    again = picture.decode(picture.encode(image, 90))

    assert again.shape == image.shape
    assert np.abs(again.astype(int) - image).mean() < 3


def test_a_higher_quality_takes_more_bytes() -> None:
    image = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)

    sizes = [len(picture.encode(image, quality)) for quality in (1, 50, 100)]

    assert sizes == sorted(sizes)
    assert len(set(sizes)) == 3


def test_a_grey_picture_decodes_to_three_channels() -> None:
    _, data = cv2.imencode(".jpg", np.full((20, 30), 77, np.uint8))

    image = picture.decode(data.tobytes())

    assert image.shape == (20, 30, 3)
    assert (image == 77).all()


def with_size(data: bytes, width: int, height: int) -> bytes:
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + height.to_bytes(2) + width.to_bytes(2) + data[at + 4 :]


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xd8", b"hello", with_size(picture.encode(gradient(16, 16), 85), 65_000, 65_000)],
    ids=["nothing", "start", "text", "more pixels than memory"],
)
def test_an_error_says_that_the_bytes_are_not_a_picture(data: bytes) -> None:
    with pytest.raises(PictureError, match=f"{len(data)} bytes are not a picture"):
        picture.decode(data)


@pytest.mark.parametrize(
    ("sampling", "units"), [(0x22, 16), (0x21, 16), (0x12, 32), (0x41, 8), (0x11, 32)], ids=hex
)
def test_a_picture_is_encoded_in_a_subsampling(sampling: int, units: int) -> None:
    image = gradient(1280, 40)

    data = picture.encode(image, 95, sampling=sampling)

    (frame,) = bodies(data, 0xC0)
    assert frame[7::3] == bytes([sampling, 0x11, 0x11])
    assert bodies(data, 0xDD) == [units.to_bytes(2)]
    assert np.abs(picture.decode(data).astype(int) - image).mean() < 3
