import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.wire import picture
from pipeline.wire.jpeg import JpegError, size
from producer import mjpeg
from tests.jpegs import damaged, padded, segment, segments

IMAGE = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)
JPEG = picture.encode(IMAGE, 85)

markers = st.sampled_from([*range(0xE1, 0xEE), 0xEF, 0xFE])


def without_tables(data: bytes) -> bytes:
    """Remove the segments with Huffman tables."""
    found = list(segments(data))
    kept = [data[begin:end] for marker, begin, end in found if marker != 0xC4]
    return data[:2] + b"".join(kept) + data[found[-1][2] :]


@pytest.mark.parametrize("progressive", [0, 1])
@pytest.mark.parametrize("optimize", [0, 1])
def test_a_self_contained_jpeg_stays_unchanged(progressive: int, optimize: int) -> None:
    options = [cv2.IMWRITE_JPEG_PROGRESSIVE, progressive, cv2.IMWRITE_JPEG_OPTIMIZE, optimize]
    data = cv2.imencode(".jpg", IMAGE, options)[1].tobytes()

    assert mjpeg.self_contained(data) == data


@given(
    st.lists(st.tuples(markers, st.binary(max_size=500))),
    padded(JPEG),
    st.binary(max_size=100),
)
def test_metadata_fill_bytes_standalone_markers_and_padding_are_removed(
    metadata: list[tuple[int, bytes]], data: bytes, padding: bytes
) -> None:
    front = b"".join(segment(marker, body) for marker, body in metadata)

    assert mjpeg.self_contained(data[:2] + front + data[2:] + padding.replace(b"\xd9", b"")) == JPEG


def test_the_largest_metadata_is_removed() -> None:
    assert mjpeg.self_contained(JPEG[:2] + 8 * segment(0xE1, b"Exif\0\0" + bytes(65_000)) + JPEG[2:]) == JPEG


def test_only_jfif_and_adobe_application_data_stays() -> None:
    jfif_end = 4 + int.from_bytes(JPEG[4:6])
    bare = JPEG[:2] + JPEG[jfif_end:]
    adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01")

    assert JPEG[6:11] == b"JFIF\0"
    assert (
        mjpeg.self_contained(bare[:2] + segment(0xE0, b"AVI1\0\0\0\0") + adobe + bare[2:])
        == bare[:2] + adobe + bare[2:]
    )


def test_missing_tables_are_replaced_by_the_standard_ones() -> None:
    bare = without_tables(JPEG)

    data = mjpeg.self_contained(bare)

    assert len(bare) < len(JPEG) - 400
    assert data.count(b"\xff\xc4") == JPEG.count(b"\xff\xc4")
    assert (picture.decode(data) == picture.decode(JPEG)).all()
    assert size(data) == (64, 48)


def test_the_last_end_marker_ends_the_picture() -> None:
    data = JPEG[:-2] + segment(0xFE, b"\xff\xd9") + JPEG[-2:]

    assert mjpeg.self_contained(data) == data


@given(padded(without_tables(JPEG)))
def test_missing_tables_are_noticed_among_fill_bytes(data: bytes) -> None:
    assert mjpeg.self_contained(data) == mjpeg.self_contained(without_tables(JPEG))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "begins with nothing"),
        (b"hello", "begins with 68656c6c"),
        (JPEG[:100], "no scan"),
        (JPEG[:2] + JPEG[-2:], "no scan"),
        (JPEG[:2] + b"hello" + JPEG[2:], "no marker at byte 2"),
        (JPEG[:-2], f"{len(JPEG) - 2} bytes without an end marker"),
        (JPEG[:2] + segment(0xFE, JPEG[-2:]) + JPEG[2:-2], "without an end marker"),
    ],
    ids=["nothing", "text", "half a head", "no head", "text in the head", "no end", "an end in the head"],
)
def test_the_error_says_what_is_wrong(data: bytes, text: str) -> None:
    with pytest.raises(JpegError, match=text):
        mjpeg.self_contained(data)


@settings(max_examples=300)
@given(damaged(JPEG) | st.binary(max_size=300) | st.binary(max_size=300).map(lambda data: JPEG[:2] + data))
def test_damage_raises_nothing_but_a_jpeg_error(data: bytes) -> None:
    try:
        found = mjpeg.self_contained(data)
    except JpegError:
        return
    assert found.startswith(b"\xff\xd8")
    assert found.endswith(b"\xff\xd9")
