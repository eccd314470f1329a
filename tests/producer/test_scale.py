import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire import picture
from pipeline.wire.picture import Image, PictureError
from producer import scale

lengths = st.integers(1, 150)


def stripes(width: int, height: int) -> Image:
    """Return black and white columns, one pixel each."""
    image = np.zeros((height, width, 3), np.uint8)
    image[:, ::2] = 255
    return image


@given(lengths, lengths, st.floats(0.001, 8), st.floats(0.001, 8))
def test_every_size_becomes_what_was_asked_for(width: int, height: int, x: float, y: float) -> None:
    wanted = scale.size_of(width, height, (x, y))

    image = scale.to_size(np.full((height, width, 3), 77, np.uint8), *wanted)

    assert image.shape == (wanted[1], wanted[0], 3)
    assert (image == 77).all()
    assert min(wanted) >= 1


@given(lengths, lengths, lengths, lengths)
def test_a_jpeg_is_decoded_no_smaller_than_wanted(width: int, height: int, across: int, down: int) -> None:
    data = picture.encode(np.full((height, width, 3), 77, np.uint8), 85)
    wanted = min(width, across), min(height, down)

    image = scale.decode(data, (width, height), wanted)

    assert image.shape[1] >= wanted[0]
    assert image.shape[0] >= wanted[1]
    assert np.abs(image.astype(int) - 77).max() <= 2


@pytest.mark.parametrize(
    ("wanted", "part"),
    [((160, 80), 1), ((81, 80), 1), ((80, 40), 2), ((41, 20), 2), ((40, 20), 4), ((20, 10), 8), ((2, 1), 8)],
)
def test_a_jpeg_is_decoded_no_larger_than_need_be(wanted: tuple[int, int], part: int) -> None:
    data = picture.encode(stripes(160, 80), 85)

    assert scale.decode(data, (160, 80), wanted).shape == (80 // part, 160 // part, 3)


def test_an_image_of_the_size_is_not_touched() -> None:
    image = stripes(64, 48)

    assert scale.to_size(image, 64, 48) is image


@pytest.mark.parametrize("wanted", [(32, 24), (16, 12), (21, 16), (13, 10), (8, 6), (16, 48), (30, 40)])
def test_what_is_too_fine_for_the_smaller_image_becomes_its_mean(wanted: tuple[int, int]) -> None:
    image = scale.to_size(stripes(64, 48), *wanted)

    assert np.abs(image[:, 1:-1].astype(int) - 127).max() <= 20


def test_a_jpeg_that_cannot_be_decoded_is_told_so() -> None:
    with pytest.raises(PictureError, match="5 bytes are no picture"):
        scale.decode(b"hello", (64, 48), (64, 48))
