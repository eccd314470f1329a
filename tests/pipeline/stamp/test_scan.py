"""Scans that are written again without decoding the picture."""

import contextlib
import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stamp import jpeg_head, scan
from pipeline.stamp.jpeg_head import UnfitError
from pipeline.stamp.scan import ScanError
from pipeline.wire import picture
from pipeline.wire.picture import Image
from tests.consumer.fakes import PROPERTY
from tests.jpegs import damaged, segment, segments
from tests.parts import ROOT
from tests.pipeline.stamp.jpegs import camera_jpeg, changed, find, noise, quantized, split

SAMPLINGS = {0x22: "4:2:0", 0x21: "4:2:2", 0x12: "4:4:0", 0x41: "4:1:1", 0x11: "4:4:4"}
samplings = st.sampled_from(sorted(SAMPLINGS))
kinds = st.sampled_from(["smooth", "noise", "flat", "extreme"])


def image_of(kind: str, width: int, height: int, seed: int = 1) -> Image:
    """Return a picture whose coefficients are few, many, almost none, or as large as they can be."""
    random = np.random.default_rng(seed)
    if kind == "noise":
        return random.integers(0, 256, (height, width, 3), np.uint8)
    if kind == "extreme":
        return random.choice(np.array([0, 255], np.uint8), (height, width, 3))
    return noise(width, height, seed) if kind == "smooth" else np.full((height, width, 3), seed, np.uint8)


def with_tiles(jpeg: bytes) -> bytes:
    return scan.with_tiles(jpeg, jpeg_head.read(jpeg))


def same_pixels(one: bytes, other: bytes) -> bool:
    return np.array_equal(picture.decode(one), picture.decode(other))


JPEG = camera_jpeg(noise(300, 120), 80, 0x21)
OPTIMIZED = camera_jpeg(noise(300, 120), 80, 0x22, optimize=True)
RESTARTS = camera_jpeg(noise(300, 120), 80, 0x22, interval=7)


@PROPERTY
@given(
    kind=kinds,
    width=st.integers(1, 700),
    height=st.integers(1, 300),
    quality=st.integers(1, 100),
    sampling=samplings,
    interval=st.just(0) | st.integers(1, 99),
    optimize=st.booleans(),
)
def test_a_jpeg_with_tiles_has_the_same_pixels(
    *, kind: str, width: int, height: int, quality: int, sampling: int, interval: int, optimize: bool
) -> None:
    image = image_of(kind, width, height)
    jpeg = camera_jpeg(image, quality, sampling, interval=interval, optimize=optimize)

    tiled = with_tiles(jpeg)

    head = jpeg_head.read(tiled)
    assert scan.has_tiles(head)
    assert head.interval == picture.restart_interval(width, head.mcu[0])
    assert head.sampling == sampling
    assert split(tiled).markers == [
        *(bytes([0xFF, 0xD0 + number % 8]) for number in range(head.row * head.rows // head.interval - 1)),
        b"\xff\xd9",
    ]
    assert same_pixels(tiled, jpeg)


@PROPERTY
@given(width=st.integers(1, 700), height=st.integers(1, 300), quality=st.integers(1, 100), sampling=samplings)
def test_it_is_the_jpeg_that_an_encoder_with_restart_markers_would_write(
    width: int, height: int, quality: int, sampling: int
) -> None:
    image = noise(width, height)
    jpeg = camera_jpeg(image, quality, sampling)

    assert split(with_tiles(jpeg)).tiles == split(picture.encode(image, quality, sampling=sampling)).tiles


def test_the_rest_of_the_head_stays() -> None:
    comment = segment(0xFE, b"from the door")

    tiled = with_tiles(JPEG[:2] + comment + JPEG[2:])

    kept = [0xE0, 0xDB, 0xDB, 0xC0]
    assert tiled.startswith(JPEG[:2] + comment)
    assert [tiled[at:end] for marker, at, end in segments(tiled) if marker in kept] == [
        JPEG[at:end] for marker, at, end in segments(JPEG) if marker in kept
    ]


def test_tables_with_other_numbers_are_replaced() -> None:
    jpeg = bytearray(OPTIMIZED)
    at = find(OPTIMIZED, 0xDA)
    for marker, begin, _ in segments(OPTIMIZED):
        if marker == 0xC4:
            jpeg[begin + 4] ^= 3  # tables 0 and 1 become 3 and 2
    for place in (at + 6, at + 8, at + 10):
        jpeg[place] ^= 0x33

    tiled = with_tiles(bytes(jpeg))

    assert tiled == with_tiles(OPTIMIZED)
    assert same_pixels(tiled, OPTIMIZED)


def test_a_table_without_the_code_of_a_tiles_first_coefficient_is_replaced() -> None:
    image = np.full((64, 640, 3), 3, np.uint8)  # all differences but the first are 0
    jpeg = camera_jpeg(image, 100, 0x22, optimize=True)

    assert same_pixels(with_tiles(jpeg), jpeg)


def test_cameras_with_different_tables_take_turns() -> None:
    other = camera_jpeg(image_of("noise", 90, 70), 95, 0x11, optimize=True)
    alone = [with_tiles(jpeg) for jpeg in (OPTIMIZED, JPEG, other)]

    for _ in range(3):
        assert [with_tiles(jpeg) for jpeg in (OPTIMIZED, JPEG, other)] == alone


def test_large_and_small_pictures_take_turns() -> None:
    large = camera_jpeg(image_of("noise", 2500, 1800), 98, 0x11)

    for jpeg in (JPEG, large, JPEG, large):
        assert same_pixels(with_tiles(jpeg), jpeg)


@pytest.mark.parametrize("fill", [b"\xff", b"\xff\xff\xff", b"\0\0\0\0"])
def test_fill_bytes_before_the_end_are_dropped(fill: bytes) -> None:
    assert with_tiles(JPEG[:-2] + fill + JPEG[-2:]) == with_tiles(JPEG)


def test_what_follows_the_end_is_dropped() -> None:
    assert with_tiles(JPEG + b"\xff\xd8 padding") == with_tiles(JPEG)


@pytest.mark.parametrize("jpeg", [JPEG, OPTIMIZED, RESTARTS], ids=["standard", "optimized", "restarts"])
def test_a_truncated_scan_is_an_error(jpeg: bytes) -> None:
    *_, (_, _, begin) = segments(jpeg)

    for end in range(begin, len(jpeg) - 3, 37):
        for tail in (b"", b"\xff\xd9", b"\xff"):
            with pytest.raises(ScanError):
                with_tiles(jpeg[:end] + tail)


def test_a_scan_with_a_foreign_marker_is_an_error() -> None:
    middle = len(JPEG) - 400

    for marker in (b"\xff\xd0", b"\xff\xd9", b"\xff\xda"):
        with pytest.raises(ScanError):
            with_tiles(JPEG[:middle] + marker + JPEG[middle:])


def test_restart_markers_in_the_wrong_order_are_an_error() -> None:
    at = RESTARTS.index(b"\xff\xd1")

    with pytest.raises(ScanError):
        with_tiles(changed(RESTARTS, at, b"\xff\xd2"))


@pytest.mark.exceeds("pipeline.stamp.scan._LONGEST")
def test_a_scan_that_is_too_long_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    length = len(JPEG) - jpeg_head.read(JPEG).length
    monkeypatch.setattr(scan, "_LONGEST", length)
    assert same_pixels(with_tiles(JPEG), JPEG)

    monkeypatch.setattr(scan, "_LONGEST", length - 1)
    with pytest.raises(ScanError, match=f"{length} bytes, expected at most {length - 1}"):
        with_tiles(JPEG)


def test_a_table_with_more_codes_than_there_can_be_is_an_error() -> None:
    at = find(OPTIMIZED, 0xC4)

    with pytest.raises(ScanError, match="tables"):
        with_tiles(changed(OPTIMIZED, at + 5, b"\x03"))
    assert same_pixels(with_tiles(OPTIMIZED), OPTIMIZED)


# Where libjpeg and this code both read damaged data to its end, they read the same.
@settings(PROPERTY, max_examples=400)
@given(jpeg=st.sampled_from([JPEG, OPTIMIZED, RESTARTS]).flatmap(damaged))
def test_damage_is_an_error_or_changes_no_pixel(jpeg: bytes) -> None:
    with contextlib.suppress(UnfitError, ScanError):
        tiled = with_tiles(jpeg)
        with contextlib.suppress(picture.PictureError):
            assert same_pixels(tiled, jpeg)


@settings(PROPERTY, max_examples=400)
@given(
    jpeg=st.sampled_from([JPEG, OPTIMIZED, RESTARTS]),
    bits=st.lists(st.floats(0, 0.9999), min_size=1, max_size=3),
)
def test_wrong_bits_in_a_scan_are_an_error_or_change_no_pixel(jpeg: bytes, bits: list[float]) -> None:
    *_, (_, _, begin) = segments(jpeg)
    data = bytearray(jpeg)
    for share in bits:
        at, bit = divmod(int(share * 8 * (len(jpeg) - 2 - begin)), 8)
        data[begin + at] ^= 1 << bit

    with contextlib.suppress(ScanError):
        assert same_pixels(with_tiles(bytes(data)), bytes(data))


def tables_of(jpeg: bytes) -> list[bytes]:
    return [jpeg[at + 5 : end] for marker, at, end in segments(jpeg) if marker == 0xDB]


def error(one: Image, other: Image) -> float:
    return float(np.abs(one.astype(int) - other).mean())


@PROPERTY
@given(
    kind=kinds,
    width=st.integers(100, 300),
    height=st.integers(100, 200),
    quality=st.integers(30, 100),
    sampling=samplings,
)
def test_an_image_is_coded_as_the_head_says(
    kind: str, width: int, height: int, quality: int, sampling: int
) -> None:
    image = image_of(kind, width, height)
    jpeg = picture.encode(image, quality, sampling=sampling)
    # Two bytes per value, which OpenCV does not write.
    wide = [np.frombuffer(table, np.uint8).astype(">u2").tobytes() for table in tables_of(jpeg)]
    head = jpeg_head.read(quantized(jpeg, *wide))

    data = scan.encode(image, head)

    *_, (_, _, begin) = segments(jpeg)
    found = picture.decode(jpeg[:begin] + data)
    # Coefficients are rounded twice, so that a few become their neighbours.
    assert error(found, image) < 1.02 * error(picture.decode(jpeg), image) + 0.5


def test_an_image_of_a_known_quality_is_coded_by_opencv_alone() -> None:
    image = noise(300, 120)
    jpeg = picture.encode(image, 77)

    head = jpeg_head.read(jpeg)

    assert scan.encode(image, head) == jpeg[head.length :]


def test_the_compiled_module_comes_from_the_source() -> None:
    source = Path(scan.__file__).with_name("scan.c").read_bytes()

    assert hashlib.sha256(source).hexdigest().encode() in scan.WASM.read_bytes(), "run `make wasm`"


@pytest.mark.parts
def test_a_process_that_has_used_the_module_ends_in_silence(tmp_path: Path) -> None:
    (tmp_path / "own.jpg").write_bytes(JPEG)
    code = f"""
from pathlib import Path
from pipeline.stamp import jpeg_head, scan
data = Path({str(tmp_path / "own.jpg")!r}).read_bytes()
scan.with_tiles(data, jpeg_head.read(data))
"""

    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert (ended.stdout, ended.stderr) == ("", "")
