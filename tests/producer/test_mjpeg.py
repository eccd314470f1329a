import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire import picture
from pipeline.wire.jpeg import JpegError, size
from producer import mjpeg

IMAGE = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)
JPEG = picture.encode(IMAGE, 85)

markers = st.sampled_from([*range(0xE1, 0xEE), 0xEF, 0xFE])


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2) + body


def without_tables(data: bytes) -> bytes:
    """Leave out the segments with Huffman tables."""
    kept, at = data[:2], 2
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        kept += b"" if data[at + 1] == 0xC4 else data[at:end]
        at = end
    return kept + data[at:]


@pytest.mark.parametrize("progressive", [0, 1])
@pytest.mark.parametrize("optimize", [0, 1])
def test_a_self_contained_jpeg_stays_as_it_is(progressive: int, optimize: int) -> None:
    wishes = [cv2.IMWRITE_JPEG_PROGRESSIVE, progressive, cv2.IMWRITE_JPEG_OPTIMIZE, optimize]
    data = cv2.imencode(".jpg", IMAGE, wishes)[1].tobytes()

    assert mjpeg.self_contained(data) == data


@given(st.lists(st.tuples(markers, st.binary(max_size=500))), st.integers(0, 3), st.binary(max_size=100))
def test_metadata_fill_bytes_and_padding_are_left_out(
    segments: list[tuple[int, bytes]], fill: int, padding: bytes
) -> None:
    metadata = b"".join(segment(marker, body) for marker, body in segments)
    data = JPEG[:2] + metadata + b"\xff" * fill + JPEG[2:] + padding.replace(b"\xd9", b"")

    assert mjpeg.self_contained(data) == JPEG


def test_the_largest_metadata_are_left_out() -> None:
    assert mjpeg.self_contained(JPEG[:2] + 8 * segment(0xE1, b"Exif\0\0" + bytes(65_000)) + JPEG[2:]) == JPEG


def test_of_application_data_only_jfifs_and_adobes_stay() -> None:
    jfif_end = 4 + int.from_bytes(JPEG[4:6])
    bare = JPEG[:2] + JPEG[jfif_end:]
    adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01")

    assert JPEG[6:11] == b"JFIF\0"
    assert (
        mjpeg.self_contained(bare[:2] + segment(0xE0, b"AVI1\0\0\0\0") + adobe + bare[2:])
        == bare[:2] + adobe + bare[2:]
    )


def test_missing_tables_are_the_standards() -> None:
    bare = without_tables(JPEG)

    data = mjpeg.self_contained(bare)

    assert len(bare) < len(JPEG) - 400
    assert data.count(b"\xff\xc4") == JPEG.count(b"\xff\xc4")
    assert (picture.decode(data) == picture.decode(JPEG)).all()
    assert size(data) == (64, 48)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "not a JPEG: .* nothing"),
        (b"hello", "not a JPEG: .* 68656c6c"),
        (JPEG[:100], "no scan"),
        (JPEG[:2] + JPEG[-2:], "no scan"),
        (JPEG[:-2], f"truncated JPEG: {len(JPEG) - 2} bytes"),
    ],
    ids=["nothing", "text", "half a head", "no head", "no end"],
)
def test_what_is_no_whole_jpeg_is_told_so(data: bytes, text: str) -> None:
    with pytest.raises(JpegError, match=text):
        mjpeg.self_contained(data)


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_a_jpeg_or_told_so(data: bytes, begins_well: bool) -> None:
    try:
        found = mjpeg.self_contained(JPEG[:2] * begins_well + data)
    except JpegError:
        return
    assert found.startswith(b"\xff\xd8")
    assert found.endswith(b"\xff\xd9")
