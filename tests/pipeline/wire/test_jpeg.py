import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.wire import jpeg, picture
from pipeline.wire.picture import Image
from tests import jpegs
from tests.jpegs import damaged, padded, segment

KIB = 1024


def noise(width: int, height: int) -> Image:
    return np.random.default_rng(width * height).integers(0, 256, (height, width, 3), np.uint8)


def jpeg_of(width: int, height: int, *options: int, channels: int = 3) -> bytes:
    image = noise(width, height)
    _, data = cv2.imencode(".jpg", image if channels > 1 else image[:, :, 0], options)
    return data.tobytes()


def frame_header(width: int, height: int) -> bytes:
    """Return a JPEG that has a frame header and nothing else."""
    size = height.to_bytes(2) + width.to_bytes(2)
    components = b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"
    return jpeg.START + segment(0xC0, b"\x08" + size + components) + jpeg.END


def commented(data: bytes, length: int) -> bytes:
    """Return the JPEG with so many bytes of comments, which follow its start."""
    comments = b""
    while length - len(comments) > 65_537:
        comments += segment(0xFE, bytes(30_000))
    comments += segment(0xFE, bytes(length - len(comments) - 4))
    assert len(comments) == length
    return data[:2] + comments + data[2:]


JPEG = picture.encode(noise(171, 93), 85)
HEAD = max(end for _, _, end in jpegs.segments(JPEG))
FRAME_HEADER_END = next(end for marker, _, end in jpegs.segments(JPEG) if marker == 0xC0)


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


def test_a_thumbnail_is_not_mistaken_for_the_picture() -> None:
    thumbnail = segment(0xE1, jpeg_of(16, 8))

    assert jpeg.size(JPEG[:2] + thumbnail + JPEG[2:]) == (171, 93)


def test_the_segments_are_those_up_to_the_start_of_scan() -> None:
    assert list(jpeg.segments(JPEG)) == list(jpegs.segments(JPEG))


def test_the_head_ends_where_the_entropy_coded_data_begins() -> None:
    assert jpeg.head_length(JPEG) == HEAD


@given(data=padded(JPEG))
def test_fill_bytes_and_stand_alone_markers_are_skipped(data: bytes) -> None:
    found = [(marker, data[begin:end]) for marker, begin, end in jpeg.segments(data)]

    assert found == [(marker, JPEG[begin:end]) for marker, begin, end in jpegs.segments(JPEG)]
    assert jpeg.size(data) == (171, 93)
    assert jpeg.head_length(data) == HEAD + len(data) - len(JPEG)


def test_a_segment_may_have_an_empty_body() -> None:
    assert list(jpeg.segments(jpeg.START + segment(0xFE, b""))) == [(0xFE, 2, 6)]


def test_a_repeated_start_is_skipped() -> None:
    assert jpeg.size(jpeg.START + JPEG) == (171, 93)


def test_a_head_cut_off_anywhere_has_no_scan() -> None:
    for end in range(2, HEAD):
        with pytest.raises(jpeg.JpegError, match="no scan"):
            jpeg.head_length(JPEG[:end])


def test_a_head_of_up_to_64_kib_is_accepted() -> None:
    room = 64 * KIB - HEAD

    assert jpeg.head_length(commented(JPEG, room)) == 64 * KIB
    with pytest.raises(jpeg.JpegError, match="no scan"):
        jpeg.head_length(commented(JPEG, room + 1))


def test_the_frame_header_is_searched_for_in_the_first_256_kib() -> None:
    room = 256 * KIB - FRAME_HEADER_END

    assert jpeg.size(commented(JPEG, room)) == (171, 93)
    with pytest.raises(jpeg.JpegError, match="no frame header"):
        jpeg.size(commented(JPEG, room + 1))


def test_padding_after_the_end_is_allowed() -> None:
    assert jpeg.size(JPEG + bytes(62)) == (171, 93)


def test_an_end_marker_far_from_the_end_does_not_count() -> None:
    with pytest.raises(jpeg.JpegError, match="without an end marker"):
        jpeg.size(JPEG + bytes(63))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "begins with nothing"),
        (b"\x89PNG", "begins with 89504e47"),
        (b"\xff\xd8\xff\xe0", "truncated JPEG: 4 bytes"),
        (b"\xff\xd8\xff\xd9", "no frame header"),
        (b"\xff\xd8\xff\xd9" + JPEG[2:], "no frame header"),
        (b"\xff\xd8" + bytes(20) + b"\xff\xd9", "no marker at byte 2"),
        (frame_header(16, 0), "16x0 pixels"),
        (frame_header(0, 16), "0x16 pixels"),
        (frame_header(8001, 8000), "8001x8000 pixels"),
        (b"\xff\xd8" + segment(0xC0, bytes(4)) + b"\xff\xd9", "no frame header"),
        (b"\xff\xd8" + b"\xff" * 10_000_000 + b"\xff\xd9", "no frame header"),
        (b"\xff\xd8\xff\xe0\xff\xff" + bytes(20) + b"\xff\xd9", "no frame header"),
        (b"\xff\xd8\xff\xe0\x00\x01" + bytes(20) + b"\xff\xd9", "no frame header"),
    ],
)
def test_the_error_says_what_is_wrong(data: bytes, text: str) -> None:
    with pytest.raises(jpeg.JpegError, match=text):
        jpeg.size(data)


def test_the_largest_picture_is_64_megapixels() -> None:
    assert jpeg.size(frame_header(8000, 8000)) == (8000, 8000)


@pytest.mark.parametrize("marker", [0xC4, 0xC8, 0xCC])
def test_tables_are_not_mistaken_for_a_frame_header(marker: int) -> None:
    data = jpeg.START + segment(marker, bytes(range(1, 16))) + jpeg.END

    with pytest.raises(jpeg.JpegError, match="no frame header"):
        jpeg.size(data)


PIECES = st.sampled_from([b"\xff", b"\xd8", b"\xc0", b"\xda", b"\xe0", b"\x00", b"\x01", b"\xd9", b"\x02"])
MARKERS = st.lists(PIECES).map(lambda pieces: jpeg.START + b"".join(pieces) + jpeg.END)


@settings(max_examples=300)
@given(data=MARKERS | damaged(JPEG) | st.binary(max_size=40))
def test_damage_raises_nothing_but_a_jpeg_error(data: bytes) -> None:
    for read in jpeg.size, jpeg.head_length:
        try:
            found = read(data)
        except jpeg.JpegError:
            continue
        assert np.all(np.array(found) > 0)


@settings(max_examples=300)
@given(data=MARKERS | damaged(JPEG))
def test_segments_follow_each_other_within_the_data_however_damaged(data: bytes) -> None:
    last = 2
    try:
        for _, begin, end in jpeg.segments(data):
            assert last <= begin
            assert begin + 4 <= end <= len(data)
            last = end
    except jpeg.JpegError:
        pass
