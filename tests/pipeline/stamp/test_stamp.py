"""Frames that are stamped tile by tile, or as a whole."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from cv2 import (
    IMWRITE_JPEG_PROGRESSIVE,
    IMWRITE_JPEG_QUALITY,
    IMWRITE_JPEG_RST_INTERVAL,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from pipeline.stamp import jpeg_head, stamp
from pipeline.stamp.captions import write_captions
from pipeline.stamp.place import place_captions
from pipeline.stamp.tiles import Tiles
from pipeline.wire import mat, picture
from pipeline.wire.frame import Frame, Message, decode
from pipeline.wire.picture import MCU, Image, PictureError
from pipeline.wire.predictions import Prediction, Result
from tests.consumer.fakes import PROPERTY
from tests.jpegs import damaged, padded
from tests.pipeline.stamp.jpegs import (
    ADOBE,
    EXIF,
    Parts,
    boxed,
    camera_jpeg,
    changed,
    coded,
    decoded_by_ffmpeg,
    drawn,
    find,
    framed,
    joined,
    noise,
    quantized,
    split,
    squares,
    without,
)

QUALITY = 72
IMAGE = noise(300, 120)
JPEG = picture.encode(IMAGE, QUALITY)
BOXES = boxed((20, 70, 60, 30), None)

# With 37 or 43 units in a row, no tile can be smaller than a row.
WIDTHS = st.integers(1, 700) | st.sampled_from([37 * 16, 43 * 16 - 5, 256, 400, 640])
# Many of the boxes have an edge next to a tile's.
SIDES = (
    st.integers(-900, 900)
    | st.integers(-20, 20)
    | st.builds(lambda unit, beside: MCU * unit + beside, st.integers(0, 44), st.integers(-3, 3))
)
RESULTS = st.builds(
    Result,
    st.sampled_from(["car", "", "crème brûlée", "mountain bike, all-terrain bike, off-roader"]),
    st.floats(0, 1),
    st.none() | st.tuples(SIDES, SIDES, SIDES, SIDES),
)
PREDICTIONS = st.lists(
    st.builds(
        Prediction,
        st.just("detect_1"),
        st.lists(RESULTS, max_size=4).map(tuple),
        st.none() | st.just(1),
        st.sampled_from([None, 0, 41, 999, 1000, 2345, 10**9]),
    ),
    max_size=3,
)


def stamped_whole() -> dict[str, float]:
    """Return how many frames were stamped as a whole, by reason."""
    samples = (sample for metric in REGISTRY.collect() for sample in metric.samples)
    return {
        sample.labels["reason"]: sample.value
        for sample in samples
        if sample.name == "streamlens_frames_stamped_whole_total"
    }


def reasons(frame: Frame, quality: int | None = None) -> dict[str, float]:
    """Stamp a frame; return the reasons for which it was stamped as a whole."""
    before = stamped_whole()
    try:
        stamp(frame, quality)
    finally:
        after = stamped_whole()
    return {
        reason: count - before.get(reason, 0)
        for reason, count in after.items()
        if count != before.get(reason, 0)
    }


def touched(frame: Frame) -> set[int]:
    """Return the numbers of the tiles that a frame's marks touch."""
    tiles = Tiles(frame.jpeg, None)
    marks = place_captions(write_captions(frame.predictions), frame.width, frame.height)
    areas = tiles.touched(part for mark in marks for part in mark.areas())
    return {
        row * tiles.columns + column
        for area in areas
        for row in range(area.top, area.bottom)
        for column in range(area.left, area.right)
    }


@PROPERTY
@given(
    width=WIDTHS,
    height=st.integers(1, 700),
    quality=st.integers(1, 100),
    predictions=PREDICTIONS,
    data=st.data(),
)
def test_touched_tiles_are_those_of_the_whole_picture_and_the_others_stay(
    width: int, height: int, quality: int, predictions: list[Prediction], data: st.DataObject
) -> None:
    row = -(-width // MCU)
    intervals = [part for part in range(1, row + 1) if row % part == 0]
    interval = data.draw(st.sampled_from([picture.restart_interval(width), *intervals]))
    image = noise(width, height, data.draw(st.integers(0, 9)))

    check_tiles(framed(picture.encode(image, quality, interval), image, *predictions), quality, interval)


# An edge reaches two pixels beyond the box at a height of 160, and four at 720.
@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize(("height", "distance"), [(160, 1), (160, 2), (160, 3), (720, 3), (720, 4), (720, 5)])
def test_a_box_with_edges_next_to_those_of_tiles_is_drawn_completely(
    height: int, distance: int, sign: int
) -> None:
    offset = sign * distance
    image = noise(640, height)
    box = 128 + offset, 48 + offset, 384, 64

    check_tiles(framed(picture.encode(image, 85, 8), image, boxed(box)), 85, 8)


# Cameras have no restart markers, or too few, and other subsamplings and Huffman tables.
@PROPERTY
@given(
    width=WIDTHS,
    height=st.integers(1, 500),
    quality=st.integers(1, 100),
    sampling=st.sampled_from([0x22, 0x21, 0x12, 0x41, 0x11]),
    interval=st.just(0) | st.integers(1, 99),
    optimize=st.booleans(),
    predictions=PREDICTIONS,
)
def test_a_cameras_own_jpeg_is_stamped_by_tiles(
    *,
    width: int,
    height: int,
    quality: int,
    sampling: int,
    interval: int,
    optimize: bool,
    predictions: list[Prediction],
) -> None:
    image = noise(width, height)
    jpeg = camera_jpeg(image, quality, sampling, interval=interval, optimize=optimize)
    frame = framed(jpeg, image, *predictions)
    tiled = frame._replace(jpeg=Tiles(jpeg, None).join())

    assert np.array_equal(picture.decode(tiled.jpeg), picture.decode(jpeg))
    assert reasons(frame) == {}
    assert stamp(frame, None) == stamp(tiled, None)
    check_tiles(tiled, quality, jpeg_head.read(tiled.jpeg).interval, sampling)


@PROPERTY
@given(
    scale=st.floats(0.5, 2),
    sampling=st.sampled_from([0x22, 0x21, 0x11]),
    interval=st.sampled_from([0, 19]),
    box=st.tuples(SIDES, SIDES, SIDES, SIDES),
)
def test_a_jpeg_with_its_own_quantization_keeps_it(
    scale: float, sampling: int, interval: int, box: tuple[int, int, int, int]
) -> None:
    # No multiple of the standard's tables, which rise more steeply.
    tables = [bytes(round(scale * (8 + at // slow)) for at in range(64)) for slow in (3, 2)]
    image = noise(300, 120)
    jpeg = camera_jpeg(image, 50, sampling, interval=interval)
    frame = framed(quantized(jpeg, *tables), image, boxed(box, None))

    stamped = stamp(frame, None)

    assert reasons(frame) == {}
    head, own = jpeg_head.read(stamped), jpeg_head.read(frame.jpeg)
    assert [part.quantization for part in head.components] == [part.quantization for part in own.components]
    assert np.abs(picture.decode(stamped).astype(int) - drawn(frame)).mean() < 4
    came, went = split(Tiles(frame.jpeg, None).join()), split(stamped)
    changed_tiles = {at for at, tile in enumerate(came.tiles) if went.tiles[at] != tile}
    assert changed_tiles <= touched(frame)


def check_tiles(frame: Frame, quality: int, interval: int, sampling: int = 0x22) -> None:
    """Check that a stamped frame has the whole picture's tiles where marks touch it, its own elsewhere."""
    before = stamped_whole()

    stamped = stamp(frame, None)

    assert stamped_whole() == before
    expected, came = drawn(frame), split(frame.jpeg)
    whole = split(picture.encode(expected, quality, interval, sampling))
    numbers = touched(frame)
    tiles = [whole.tiles[at] if at in numbers else tile for at, tile in enumerate(came.tiles)]
    assert stamped == joined(Parts(came.head, tiles, came.markers))
    assert came.markers == [bytes([0xFF, 0xD0 + at % 8]) for at in range(len(tiles) - 1)] + [b"\xff\xd9"]

    different = (picture.decode(frame.jpeg) != expected).any(axis=2)
    across, down = interval * 8 * (sampling >> 4), 8 * (sampling & 15)
    columns = -(-frame.width // across)
    for at in set(range(len(tiles))) - numbers:
        y, x = at // columns * down, at % columns * across
        assert not different[y : y + down, x : x + across].any(), "drawn outside the tiles that are touched"


def shades(image: Image) -> Image:
    """Return the mean luma of each MCU, in levels of 0 to 255."""
    height, width = image.shape[:2]
    luma = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    across, down = range(0, width, MCU), range(0, height, MCU)
    return np.array([[luma[y : y + MCU, x : x + MCU].mean() for x in across] for y in down])


def furthest(jpeg: bytes, frame: Frame, folder: Path) -> float:
    """Return how much an MCU's mean luma, as two decoders see it, differs from the expected one at most."""
    expected = shades(drawn(frame))
    seen = [picture.decode(jpeg), decoded_by_ffmpeg(jpeg, folder)]
    assert [image.shape[:2] for image in seen] == [(frame.height, frame.width)] * 2
    return max(float(np.abs(shades(image) - expected).max()) for image in seen)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")


@settings(PROPERTY, max_examples=40)
@given(
    width=WIDTHS, height=st.integers(1, 700), quality=st.sampled_from([50, 85, 100]), predictions=PREDICTIONS
)
def test_two_decoders_see_the_stamped_picture(
    folder: Path, width: int, height: int, quality: int, predictions: list[Prediction]
) -> None:
    image = squares(width, height)
    frame = framed(picture.encode(image, quality), image, *predictions)

    assert furthest(stamp(frame, None), frame, folder) < 6


def swap_two_tiles(parts: Parts) -> Parts:
    tiles = list(parts.tiles)
    tiles[1], tiles[2] = tiles[2], tiles[1]
    return replace(parts, tiles=tiles)


def lose_a_tile(parts: Parts) -> Parts:
    return replace(
        parts, tiles=parts.tiles[:1] + parts.tiles[2:], markers=parts.markers[:1] + parts.markers[2:]
    )


def lose_a_marker(parts: Parts) -> Parts:
    tiles = [parts.tiles[0] + parts.tiles[1], *parts.tiles[2:]]
    return replace(parts, tiles=tiles, markers=parts.markers[1:])


def misnumber_a_marker(parts: Parts) -> Parts:
    return replace(parts, markers=[parts.markers[1], *parts.markers[1:]])


def keep(parts: Parts) -> Parts:
    return parts


@pytest.mark.parametrize(
    ("damage", "seen"),
    [
        (keep, False),
        (swap_two_tiles, True),
        (lose_a_tile, True),
        (lose_a_marker, True),
        (misnumber_a_marker, True),
    ],
)
def test_two_decoders_would_see_a_damaged_tile(
    folder: Path, damage: Callable[[Parts], Parts], seen: bool
) -> None:
    image = squares(300, 120)
    frame = framed(picture.encode(image, 85), image, BOXES)

    damaged = joined(damage(split(stamp(frame, None))))

    assert (furthest(damaged, frame, folder) > 15) == seen


NO_RESTARTS = coded(IMAGE, IMWRITE_JPEG_QUALITY, QUALITY)
SOF, SOS = find(JPEG, 0xC0), find(JPEG, 0xDA)


def numbered(*numbers: int) -> bytes:
    """Return a JPEG whose components have these numbers."""
    jpeg = JPEG
    for place, number in enumerate(numbers):
        jpeg = changed(jpeg, SOF + 10 + 3 * place, bytes([number]))
        jpeg = changed(jpeg, SOS + 5 + 2 * place, bytes([number]))
    return jpeg


def damaged_scan() -> bytes:
    """Return a JPEG without restart markers whose scan ends too early."""
    return NO_RESTARTS[: len(NO_RESTARTS) * 2 // 3] + b"\xff\xd9"


def missing_marker() -> bytes:
    """Return a JPEG in which two tiles have become one."""
    return joined(lose_a_marker(split(JPEG)))


def swapped_markers() -> bytes:
    """Return a JPEG in which two restart markers are swapped."""
    parts = split(JPEG)
    first, second, *others = parts.markers
    return joined(replace(parts, markers=[second, first, *others]))


UNFIT = {
    "progressive": ("progressive", coded(IMAGE, IMWRITE_JPEG_PROGRESSIVE, 1), None),
    "subsampled luma": ("sampling", changed(JPEG, SOF + 14, b"\x22"), None),
    "grey": ("colours", coded(IMAGE[:, :, 1], IMWRITE_JPEG_RST_INTERVAL, 19), None),
    "components named R, G and B": ("colours", without(numbered(*b"RGB"), 0xE0), None),
    "components with the same number": ("colours", numbered(1, 1, 1), None),
    "Adobe's colours": ("colours", without(JPEG, 0xE0)[:2] + ADOBE + without(JPEG, 0xE0)[2:], None),
    "rotated by its metadata": ("exif", JPEG[:2] + EXIF + JPEG[2:], None),
    "no Huffman tables": ("tables", without(JPEG, 0xC4), None),
    "not all coefficients": ("process", changed(JPEG, SOS + 11, b"\x01"), None),
    "extended": ("extended", changed(JPEG, SOF + 1, b"\xc1"), None),
    "a quantization table with a zero": ("tables", changed(JPEG, find(JPEG, 0xDB) + 5, b"\0"), None),
    "damaged, without restarts": ("damaged", damaged_scan(), QUALITY),
    "a missing restart": ("markers", missing_marker(), QUALITY),
    "restarts swapped": ("markers", swapped_markers(), QUALITY),
}
"""The reason why a JPEG is stamped as a whole, such a JPEG, and its quality where that is known."""


@pytest.mark.parametrize(("reason", "jpeg", "own"), UNFIT.values(), ids=UNFIT)
def test_a_jpeg_without_exchangeable_tiles_is_counted_and_stamped_as_a_whole(
    reason: str, jpeg: bytes, own: int | None
) -> None:
    frame = framed(jpeg, IMAGE, BOXES)

    assert reasons(frame) == {reason: 1}
    assert stamp(frame, None) == picture.encode(drawn(frame), own or 85)


# The quality is compared before the restart markers are looked at.
@pytest.mark.parametrize(("kind", "reason"), [("grey", "colours"), ("damaged, without restarts", "quality")])
def test_a_jpeg_stamped_as_a_whole_has_the_quality_of_the_settings(kind: str, reason: str) -> None:
    frame = framed(UNFIT[kind][1], IMAGE, BOXES)

    assert reasons(frame, 40) == {reason: 1}
    assert stamp(frame, 40) == picture.encode(drawn(frame), 40)


UNREADABLE = [
    ("markers", changed(JPEG, SOF + 1, b"\xc3")),
    ("precision", changed(JPEG, SOF + 4, b"\x0c")),
    ("tables", changed(JPEG, SOF + 12, b"\x03")),
    ("markers", without(JPEG, 0xDB)[:SOF]),
    ("markers", b"\xff\xd8\xff"),
    ("markers", b""),
]
"""The reason why tiles cannot be exchanged, and a JPEG that OpenCV cannot decode."""

REASONS = {"quality", *(reason for reason, _, _ in UNFIT.values()), *(reason for reason, _ in UNREADABLE)}


@pytest.mark.parametrize(("reason", "jpeg"), UNREADABLE)
def test_a_jpeg_that_opencv_cannot_decode_is_counted_and_raises(reason: str, jpeg: bytes) -> None:
    before = stamped_whole().get(reason, 0)

    with pytest.raises(PictureError, match="not a picture"):
        stamp(framed(jpeg, IMAGE, BOXES), None)

    assert stamped_whole()[reason] == before + 1


def test_a_picture_is_rotated_as_its_metadata_asks() -> None:
    jpeg = UNFIT["rotated by its metadata"][1]

    stamped = picture.decode(stamp(framed(jpeg, IMAGE, BOXES), None))

    assert stamped.shape == (300, 120, 3)


@pytest.mark.parametrize("quality", [1, 2, 10, 49, 50, 51, 85, 99, 100])
def test_without_a_setting_the_frames_own_quality_is_kept(quality: int) -> None:
    frame = framed(picture.encode(IMAGE, quality), IMAGE, BOXES)

    assert reasons(frame) == {}
    assert split(stamp(frame, None)).head == split(frame.jpeg).head


def test_a_frame_of_the_quality_that_is_set_is_stamped_by_tiles() -> None:
    frame = framed(JPEG, IMAGE, BOXES)

    assert reasons(frame, QUALITY) == {}
    assert stamp(frame, QUALITY) == stamp(frame, None)


@pytest.mark.parametrize("quality", [1, QUALITY - 1, QUALITY + 1, 100])
def test_a_frame_of_a_different_quality_is_stamped_as_a_whole(quality: int) -> None:
    frame = framed(JPEG, IMAGE, BOXES)

    assert reasons(frame, quality) == {"quality": 1}
    assert stamp(frame, quality) == picture.encode(drawn(frame), quality)


def test_a_frame_of_the_original_system_has_tiles() -> None:
    message = Message(None, mat.encode(IMAGE), [])
    frame = decode(message, offset=1, timestamp=1)._replace(predictions=(BOXES,))

    assert reasons(frame) == {}
    stamped = stamp(frame, None)
    assert split(stamped).head == split(frame.jpeg).head
    assert stamped != frame.jpeg


def test_a_frame_without_marks_stays_as_it_is() -> None:
    frame = framed(JPEG, IMAGE, boxed((-90, -90, 10, 10), (20, 20, 0, 9)))

    assert reasons(frame) == {}
    assert stamp(frame, None) == JPEG


@PROPERTY
@given(jpeg=padded(JPEG))
def test_a_frame_with_fill_bytes_and_stand_alone_markers_in_its_head_is_stamped_by_tiles(jpeg: bytes) -> None:
    frame = framed(jpeg, IMAGE, BOXES)
    head = jpeg[: len(jpeg) - len(JPEG) + len(split(JPEG).head)]

    assert reasons(frame) == {}
    stamped = stamp(frame, None)
    assert stamped == head + stamp(frame._replace(jpeg=JPEG), None)[len(split(JPEG).head) :]
    assert np.array_equal(picture.decode(stamped), picture.decode(stamp(frame._replace(jpeg=JPEG), None)))


def test_a_frame_with_fill_bytes_before_restart_markers_is_stamped_by_tiles() -> None:
    parts = split(JPEG)
    jpeg = joined(replace(parts, markers=[b"\xff" + marker for marker in parts.markers]))
    frame = framed(jpeg, IMAGE, BOXES)

    assert reasons(frame) == {}
    plain = picture.decode(stamp(frame._replace(jpeg=JPEG), None))
    assert np.array_equal(picture.decode(stamp(frame, None)), plain)


def test_data_after_the_end_stays() -> None:
    frame = framed(JPEG, IMAGE, BOXES)

    assert stamp(frame._replace(jpeg=JPEG + bytes(9)), None) == stamp(frame, None) + bytes(9)


def test_tiles_below_the_marks_are_not_read() -> None:
    parts = split(JPEG)
    broken = joined(replace(parts, tiles=[*parts.tiles[:-1], b"nothing that could be decoded"]))
    frame = framed(broken, IMAGE, boxed(None))

    assert reasons(frame) == {}
    assert split(stamp(frame, None)).tiles[-1] == b"nothing that could be decoded"


@settings(PROPERTY, max_examples=400)
@given(jpeg=damaged(JPEG), quality=st.none() | st.integers(1, 100))
def test_damage_raises_nothing_but_a_picture_error(jpeg: bytes, quality: int | None) -> None:
    with contextlib.suppress(PictureError):
        stamp(framed(jpeg, IMAGE, BOXES), quality)


@PROPERTY
@given(
    at=st.integers(SOS + 14, len(JPEG) - 3),
    boxes=st.lists(st.tuples(SIDES, SIDES, SIDES, SIDES), max_size=3),
)
def test_a_truncated_frame_can_be_stamped(at: int, boxes: list[tuple[int, int, int, int]]) -> None:
    frame = framed(JPEG[:at] + b"\xff\xd9", IMAGE, boxed(*boxes, None))

    stamped = stamp(frame, None)

    assert picture.decode(stamped).shape == IMAGE.shape
