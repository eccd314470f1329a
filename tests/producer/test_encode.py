"""Large images are encoded in two halves."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire import picture
from pipeline.wire.picture import Image, PictureError
from producer import encode as module
from producer.encode import Encoder
from tests.consumer.fakes import PROPERTY


def noise(width: int, height: int) -> Image:
    small = np.random.default_rng(width * height).integers(
        0, 256, (-(-height // 8), -(-width // 8), 3), np.uint8
    )
    return small.repeat(8, axis=0).repeat(8, axis=1)[:height, :width]


@PROPERTY
@given(st.integers(400, 1400), st.integers(300, 900), st.integers(1, 100))
def test_two_halves_equal_the_whole_encoded_at_once(width: int, height: int, quality: int) -> None:
    image = noise(width, height)
    encoder = Encoder()

    assert encoder.encode(image, quality) == picture.encode(image, quality)
    encoder.close()


@pytest.mark.parametrize(
    ("width", "height"),
    [(1280, 720), (1920, 1080), (3840, 2160), (1366, 768), (8000, 128), (8000, 129), (50, 60000)],
)
def test_unequal_halves_of_large_images_equal_the_whole(width: int, height: int) -> None:
    image = noise(width, height)

    assert Encoder().encode(image, 85) == picture.encode(image, 85)


def test_another_thread_encodes_the_lower_half(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = []

    def encode(image: Image, quality: int) -> bytes:
        rows.append(len(image))
        return real(image, quality)

    real = picture.encode
    monkeypatch.setattr(picture, "encode", encode)
    monkeypatch.setattr(module, "cpu_count", lambda: 2)

    Encoder().encode(noise(1280, 720), 85)
    assert sorted(rows) == [336, 384]

    rows.clear()
    Encoder().encode(noise(640, 360), 85)
    assert rows == [360]


def test_one_core_encodes_the_whole_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "cpu_count", lambda: 1)
    image, encoder = noise(1280, 720), Encoder()

    assert encoder.encode(image, 85) == picture.encode(image, 85)
    encoder.close()


def test_closing_ends_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "cpu_count", lambda: 2)
    before = set(threading.enumerate())
    encoder = Encoder()
    encoder.encode(noise(1280, 720), 85)
    (started,) = set(threading.enumerate()) - before

    encoder.close()

    assert not started.is_alive()


def test_an_image_that_cannot_be_encoded_is_an_error() -> None:
    with pytest.raises(PictureError):
        Encoder().encode(np.zeros((70_000, 16, 3), np.uint8), 85)
