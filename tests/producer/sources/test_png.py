"""PNGs that unpack to much more than their pictures."""

import itertools
import struct
import zlib

import cv2
import numpy as np
import pytest

from pipeline.wire.picture import Image, PictureError
from producer.sources import png
from producer.sources.pictures import captured

PIXELS = 64 * 64
ROWS = bytes(64 * (1 + 3 * 64))
MUCH = zlib.compress(bytes(10_000_000), 9)
HEADER = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
NOISE: Image = np.random.default_rng(7).integers(0, 256, (33, 65, 4), np.uint8)


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def made(*chunks: bytes, header: bytes = HEADER) -> bytes:
    return b"".join([png.START, chunk(b"IHDR", header), *chunks, chunk(b"IEND")])


PICTURE = chunk(b"IDAT", zlib.compress(ROWS))


@pytest.mark.parametrize("pieces", [1, 1000])
def test_a_picture_that_unpacks_to_more_than_its_size_needs_is_refused(pieces: int) -> None:
    cuts = np.linspace(0, len(MUCH), pieces + 1).astype(int)
    data = made(*(chunk(b"IDAT", MUCH[a:b]) for a, b in itertools.pairwise(cuts)))

    with pytest.raises(PictureError, match="more than its size needs"):
        captured(data, 0)


@pytest.mark.parametrize("animated", [True, False])
def test_the_size_in_the_header_has_a_limit(animated: bool) -> None:
    assert png.plain(made(PICTURE), PIXELS, animated=animated)
    with pytest.raises(PictureError, match="64 x 64 pixels, expected at most 4095"):
        png.plain(made(PICTURE), PIXELS - 1, animated=animated)
    with pytest.raises(PictureError, match="second header"):
        png.plain(made(chunk(b"IHDR", HEADER), PICTURE), PIXELS, animated=animated)


@pytest.mark.parametrize("animated", [True, False])
def test_text_and_profiles_are_left_out(animated: bool) -> None:
    extras = [chunk(kind, b"a\0\0" + MUCH) for kind in (b"zTXt", b"iCCP", b"iTXt")]

    assert png.plain(made(*extras, PICTURE, *extras), PIXELS, animated=animated) == made(PICTURE)


def test_what_does_not_begin_like_a_png_is_refused() -> None:
    with pytest.raises(PictureError, match="not a PNG"):
        png.plain(b"\x89PN", PIXELS)


def test_what_follows_the_end_is_left_out() -> None:
    assert png.plain(made(PICTURE) + made(PICTURE), PIXELS) == made(PICTURE)


def test_each_frame_of_an_animation_has_the_size_of_a_picture() -> None:
    frame = chunk(b"fcTL", bytes(26)) + chunk(b"fdAT", bytes(4) + zlib.compress(ROWS))
    moving = made(chunk(b"acTL", bytes(8)), PICTURE, *[frame] * 3)

    assert png.plain(moving, PIXELS, animated=True) == moving
    assert png.plain(moving, PIXELS) == made(PICTURE)
    with pytest.raises(PictureError, match="more than its size needs"):
        png.plain(
            made(PICTURE, frame, chunk(b"fcTL"), chunk(b"fdAT", bytes(4) + MUCH)), PIXELS, animated=True
        )


@pytest.mark.exceeds("producer.sources.png.MOST_UNPACKED")
def test_the_frames_of_an_animation_have_a_limit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "MOST_UNPACKED", 1 << 20)
    frame = chunk(b"fcTL", bytes(26)) + chunk(b"fdAT", bytes(4) + zlib.compress(ROWS))

    with pytest.raises(PictureError, match="send it as a video"):
        png.plain(made(PICTURE, *[frame] * 100), PIXELS, animated=True)


@pytest.mark.exceeds("producer.sources.png.MOST_CHUNKS")
def test_the_chunks_have_a_limit() -> None:
    with pytest.raises(PictureError, match=f"more than {png.MOST_CHUNKS} chunks"):
        captured(made(*[chunk(b"tEXt")] * png.MOST_CHUNKS, PICTURE), 0)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("bits", [np.uint8, np.uint16])
def test_a_picture_without_extras_stays_as_it_is(channels: int, bits: type[np.uint8 | np.uint16]) -> None:
    data = cv2.imencode(".png", NOISE[..., :channels].astype(bits))[1].tobytes()

    assert png.plain(data, PIXELS) == data


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (5, 3), (8, 8), (17, 33)])
@pytest.mark.parametrize(("colour", "bits"), [(0, 1), (0, 4), (2, 8), (6, 16)])
def test_an_interlaced_picture_may_be_longer(size: tuple[int, int], colour: int, bits: int) -> None:
    width, height = size
    length = 0
    pixel = bits * {0: 1, 2: 3, 6: 4}[colour]
    for x, y, dx, dy in (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):
        columns, rows = len(range(x, width, dx)), len(range(y, height, dy))
        length += rows * (1 + -(-columns * pixel // 8)) if columns else 0
    data = made(
        chunk(b"IDAT", zlib.compress(bytes(length))),
        header=struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 1),
    )

    assert captured(data, 0).width == width
