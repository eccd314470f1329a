import itertools
from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.wire import jpeg, largest, picture
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


COMPONENTS = b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"
SCAN = segment(0xDA, b"\x03\x01\x00\x02\x11\x03\x11\x00\x3f\x00")


def frame(
    width: int = 16, height: int = 16, *, marker: int = 0xC0, bits: int = 8, components: bytes = COMPONENTS
) -> bytes:
    """Return a frame header."""
    return segment(marker, bytes([bits]) + height.to_bytes(2) + width.to_bytes(2) + components)


def frame_header(width: int, height: int) -> bytes:
    """Return a JPEG that has a frame header and an empty scan."""
    return jpeg.START + frame(width, height) + SCAN + jpeg.END


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
FRAME_BEGIN, FRAME_END = next(span for marker, *span in jpegs.segments(JPEG) if marker == 0xC0)
PROGRESSIVE = jpeg_of(171, 93, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)


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


def test_a_head_cut_off_anywhere_has_no_scan() -> None:
    for end in range(2, HEAD):
        with pytest.raises(jpeg.JpegError, match="no scan"):
            jpeg.head_length(JPEG[:end])


def test_a_head_of_up_to_64_kib_is_accepted() -> None:
    room = 64 * KIB - HEAD

    assert jpeg.head_length(commented(JPEG, room)) == 64 * KIB
    with pytest.raises(jpeg.JpegError, match="no scan"):
        jpeg.head_length(commented(JPEG, room + 1))


@pytest.mark.exceeds("pipeline.wire.jpeg._LONGEST_SEARCH")
def test_the_head_may_have_256_kib() -> None:
    room = 256 * KIB - HEAD

    assert jpeg.size(commented(JPEG, room)) == (171, 93)
    with pytest.raises(jpeg.JpegError, match="no scan"):
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
        (b"\xff\xd8" + frame() + b"\xff\xd9", "no scan"),
        (b"\xff\xd8" + SCAN + b"\xff\xd9", "no frame header"),
        (b"\xff\xd8" + segment(0xC0, bytes(4)) + b"\xff\xd9", "incomplete frame header"),
        (b"\xff\xd8" + b"\xff" * 10_000_000 + b"\xff\xd9", "no frame header"),
        (b"\xff\xd8\xff\xe0\xff\xff" + bytes(20) + b"\xff\xd9", "no frame header"),
        (b"\xff\xd8\xff\xe0\x00\x01" + bytes(20) + b"\xff\xd9", "no frame header"),
    ],
)
def test_the_error_says_what_is_wrong(data: bytes, text: str) -> None:
    with pytest.raises(jpeg.JpegError, match=text):
        jpeg.size(data)


@pytest.mark.exceeds("pipeline.service.settings.Settings.maxpixels")
def test_a_picture_has_as_many_pixels_as_are_accepted() -> None:
    assert jpeg.size(frame_header(8000, 8000)) == (8000, 8000)
    assert jpeg.size(frame_header(4000, 4000), largest.PIXELS) == (4000, 4000)
    with pytest.raises(jpeg.TooLargeError, match=r"16000000.*MAXPIXELS"):
        jpeg.size(frame_header(4001, 4000), largest.PIXELS)


def test_a_picture_has_two_bytes_per_pixel_at_most() -> None:
    room = largest.jpeg_bytes(1_000_000)
    data = JPEG[:-2].ljust(room - 2, b"\0") + jpeg.END

    assert jpeg.size(data, 1_000_000) == (171, 93)
    with pytest.raises(jpeg.TooLargeError, match="MAXPIXELS=1000000"):
        jpeg.size(data[:-2] + b"\0" + jpeg.END, 1_000_000)


def test_huffman_tables_are_not_mistaken_for_a_frame_header() -> None:
    data = jpeg.START + segment(0xC4, bytes(range(1, 16))) + SCAN + jpeg.END

    with pytest.raises(jpeg.JpegError, match="no frame header"):
        jpeg.size(data)


HIDDEN = frame(65_500, 65_500)
"""A frame header of a picture that fits in no memory."""


@pytest.mark.parametrize(
    "before",
    [
        HIDDEN,
        frame(),
        jpeg.START,
        jpeg.START + HIDDEN,
        *(segment(marker, HIDDEN) for marker in range(0xC0) if marker != 0x01),
        *(segment(marker, HIDDEN) for marker in range(0xC3, 0xD0) if marker != 0xC4),
        *(segment(marker, HIDDEN) for marker in (0xD8, 0xDC, 0xDE, 0xDF, *range(0xF0, 0xFE))),
        b"\xff\xff\x00" + len(HIDDEN).to_bytes(2) + HIDDEN,
        b"\xff\xe0\x00\x00" + HIDDEN,
        b"\xff\xe0\x00\x01" + HIDDEN,
        b"\0" + HIDDEN,
    ],
    ids=lambda data: data[:6].hex(),
)
def test_nothing_hides_another_frame_header(before: bytes) -> None:
    for place in 2, FRAME_BEGIN, FRAME_END:
        with pytest.raises(jpeg.JpegError):
            jpeg.size(JPEG[:place] + before + JPEG[place:])


@pytest.mark.parametrize("marker", [*range(0xC3, 0xC4), *range(0xC5, 0xD0)])
def test_only_baseline_extended_and_progressive_jpegs_are_accepted(marker: int) -> None:
    with pytest.raises(jpeg.JpegError):
        jpeg.size(jpeg.START + frame(marker=marker) + SCAN + jpeg.END)


@pytest.mark.parametrize("bits", [0, 2, 7, 12, 16])
def test_samples_have_eight_bits(bits: int) -> None:
    with pytest.raises(jpeg.JpegError, match=f"{bits} bits"):
        jpeg.size(jpeg.START + frame(bits=bits) + SCAN + jpeg.END)


@pytest.mark.parametrize(
    "components",
    [
        b"\0",
        b"\x02\x01\x11\0\x02\x11\0",
        b"\x05" + 5 * b"\x01\x11\0",
        b"\xff" + 255 * b"\x01\x11\0",
        COMPONENTS[:-1],
        COMPONENTS + b"\0",
    ],
)
def test_a_picture_has_one_three_or_four_components(components: bytes) -> None:
    with pytest.raises(jpeg.JpegError, match="components"):
        jpeg.size(jpeg.START + frame(components=components) + SCAN + jpeg.END)


@pytest.mark.parametrize("factors", [0x00, 0x01, 0x10, 0x51, 0x15, 0xFF])
def test_sampling_factors_are_one_to_four(factors: int) -> None:
    for at in 2, 5, 8:
        components = COMPONENTS[:at] + bytes([factors]) + COMPONENTS[at + 1 :]
        with pytest.raises(jpeg.JpegError, match="sampling"):
            jpeg.size(jpeg.START + frame(components=components) + SCAN + jpeg.END)


@pytest.mark.parametrize("names", [(1, 1, 1), (1, 1, 2), (1, 2, 1)])
def test_no_two_components_have_the_same_name(names: tuple[int, int, int]) -> None:
    components = bytearray(COMPONENTS)
    components[1::3] = bytes(names)

    with pytest.raises(jpeg.JpegError, match="several components of one name"):
        jpeg.size(jpeg.START + frame(components=bytes(components)) + SCAN + jpeg.END)


@pytest.mark.parametrize("scan", [b"", b"\0", b"\x01\x01", SCAN[4:-1], SCAN[4:] + b"\0", b"\x04" + bytes(11)])
def test_a_scan_has_the_frames_components(scan: bytes) -> None:
    with pytest.raises(jpeg.JpegError, match="scan"):
        jpeg.size(jpeg.START + frame() + segment(0xDA, scan) + jpeg.END)


@pytest.mark.parametrize("between", [HIDDEN, jpeg.START, segment(0xDC, b"\xff\xff"), segment(0x02, HIDDEN)])
def test_nothing_hides_a_frame_header_between_scans(between: bytes) -> None:
    second = [at for at in range(len(PROGRESSIVE)) if PROGRESSIVE.startswith(b"\xff\xda", at)][1]

    with pytest.raises(jpeg.JpegError, match="behind the first scan"):
        jpeg.size(PROGRESSIVE[:second] + between + PROGRESSIVE[second:])


def test_comments_and_tables_may_stand_between_scans() -> None:
    second = [at for at in range(len(PROGRESSIVE)) if PROGRESSIVE.startswith(b"\xff\xda", at)][1]
    between = segment(0xE1, HIDDEN) + segment(0xFE, HIDDEN) + b"\xff\x01"

    assert jpeg.size(PROGRESSIVE[:second] + between + PROGRESSIVE[second:]) == (171, 93)


def with_scans(count: int, width: int = 171, height: int = 93) -> bytes:
    """Return a progressive JPEG with so many scans, the last one repeated, and that size in its header."""
    scans = PROGRESSIVE.count(b"\xff\xda")
    last = PROGRESSIVE[PROGRESSIVE.rfind(b"\xff\xda") : -2]
    size_at = PROGRESSIVE.index(b"\xff\xc2") + 5
    size = height.to_bytes(2) + width.to_bytes(2)
    head = PROGRESSIVE[:size_at] + size + PROGRESSIVE[size_at + 4 : -2]
    return head + last * (count - scans) + jpeg.END


@pytest.mark.exceeds("pipeline.wire.jpeg.MOST_SCANS")
def test_a_picture_has_fifty_scans_at_most() -> None:
    assert jpeg.size(with_scans(50)) == (171, 93)
    with pytest.raises(jpeg.TooLargeError, match="50 scans"):
        jpeg.size(with_scans(51))


@pytest.mark.exceeds("pipeline.wire.jpeg.MOST_PASSES")
@pytest.mark.parametrize(("width", "height", "scans"), [(4000, 4000, 10), (4000, 2000, 20), (2000, 2000, 40)])
def test_the_larger_a_picture_the_fewer_scans_it_has(width: int, height: int, scans: int) -> None:
    assert jpeg.size(with_scans(scans, width, height), 16_000_000) == (width, height)
    with pytest.raises(jpeg.TooLargeError, match=f"{scans} scans"):
        jpeg.size(with_scans(scans + 1, width, height), 16_000_000)


@pytest.mark.exceeds("pipeline.wire.jpeg._MOST_MARKERS")
def test_a_thousand_markers_are_followed_at_most() -> None:
    comment = segment(0xFE, b"")
    room = 1000 - len(list(jpeg.segments(JPEG)))
    assert jpeg.size(jpeg.START + comment * room + JPEG[2:]) == (171, 93)
    with pytest.raises(jpeg.JpegError, match="no scan"):
        jpeg.size(jpeg.START + comment * (room + 1) + JPEG[2:])

    after = PROGRESSIVE[:-2] + comment * 900
    assert jpeg.size(after + jpeg.END) == (171, 93)
    with pytest.raises(jpeg.JpegError, match="more than 1000 markers"):
        jpeg.size(after + comment * 100 + jpeg.END)


def test_an_incomplete_progressive_picture_is_rejected() -> None:
    with pytest.raises(jpeg.JpegError, match="no end marker"):
        jpeg.size(PROGRESSIVE[:-2] + segment(0xFE, jpeg.END))


def test_pictures_behind_the_end_do_not_count() -> None:
    for data in JPEG, PROGRESSIVE:
        assert jpeg.size(data + jpeg_of(1024, 768)) == (171, 93)


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


def sampled(factors: Sequence[int]) -> bytes:
    """Return a JPEG whose frame header states these sampling factors."""
    data = bytearray(picture.encode(np.full((16, 16, 3), 77, np.uint8), 90))
    for marker, begin, _ in jpegs.segments(bytes(data)):
        if marker in jpeg.FRAME_HEADERS:
            data[begin + 11 : begin + 20 : 3] = factors
    return bytes(data)


@pytest.mark.parametrize("luma", [across << 4 | down for across in range(1, 5) for down in range(1, 5)])
def test_the_sampling_factors_that_are_accepted_are_those_that_the_decoder_reads(luma: int) -> None:
    chroma = [across << 4 | down for across in range(1, 5) for down in range(1, 5)]
    for blue, red in itertools.product(chroma, repeat=2):
        data = sampled([luma, blue, red])
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)

        if decoded is None:
            with pytest.raises(jpeg.JpegError, match="sampling factors"):
                jpeg.size(data)
        else:
            assert jpeg.size(data) == (16, 16)


def test_a_known_head_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jpeg, "_sizes", jpeg._Heads((0, 0)))
    longer = JPEG[:-2] + bytes(1000) + jpeg.END
    assert jpeg.size(JPEG) == (171, 93)
    monkeypatch.setattr(jpeg, "segments", None)

    assert jpeg.size(longer) == (171, 93)


def test_what_follows_a_known_head_is_checked() -> None:
    assert jpeg.size(JPEG, 20_000) == (171, 93)

    with pytest.raises(jpeg.JpegError, match="truncated"):
        jpeg.size(JPEG[:-2])
    with pytest.raises(jpeg.TooLargeError, match="171x93 pixels"):
        jpeg.size(JPEG, 171 * 93 - 1)
    with pytest.raises(jpeg.TooLargeError, match="bytes"):
        jpeg.size(JPEG[:-2] + bytes(largest.jpeg_bytes(20_000)) + jpeg.END, 20_000)
    for end in range(HEAD - len(jpeg.END)):
        with pytest.raises(jpeg.JpegError):
            jpeg.size(JPEG[:end] + jpeg.END)


def test_pictures_whose_scans_are_counted_and_long_heads_are_not_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heads = jpeg._Heads((0, 0))
    monkeypatch.setattr(jpeg, "_sizes", heads)

    for data in (PROGRESSIVE, commented(JPEG, 5000)):
        assert jpeg.size(data) == (171, 93)

    assert heads.get(PROGRESSIVE) == heads.get(commented(JPEG, 5000)) == (0, 0)


def test_a_few_heads_are_remembered() -> None:
    heads = jpeg._Heads((0, 0))

    for number in range(100):
        heads.add(b"\xff\xd8%03d" % number, (number + 1, 1))

    assert heads.get(b"\xff\xd8099...") == (100, 1)
    assert heads.get(b"\xff\xd8068...") == (69, 1)
    assert heads.get(b"\xff\xd8067...") == (0, 0)


def test_a_heads_length_is_the_same_however_many_others_come_between() -> None:
    heads = [picture.encode(np.zeros((16, 16 * width, 3), np.uint8), 85) for width in range(1, 60)]
    lengths = [jpeg.head_length(each) for each in heads]

    assert [jpeg.head_length(each) for each in reversed(heads)] == lengths[::-1]
    assert all(
        each[length - 14 : length - 12] == b"\xff\xda" for each, length in zip(heads, lengths, strict=True)
    )
    for known in heads[0], heads[-1]:
        with pytest.raises(jpeg.JpegError):
            jpeg.head_length(known[: jpeg.head_length(known) - 1])
