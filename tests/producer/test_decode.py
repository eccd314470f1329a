import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire import picture
from pipeline.wire.picture import PictureError
from producer.decode import decode_reduced
from tests.producer.conftest import stripes

lengths = st.integers(1, 150)


@given(lengths, lengths, lengths, lengths)
def test_the_image_is_at_least_as_large_as_requested(width: int, height: int, across: int, down: int) -> None:
    data = picture.encode(np.full((height, width, 3), 77, np.uint8), 85)
    least = min(width, across), min(height, down)

    image = decode_reduced(data, (width, height), least)

    assert image.shape[1] >= least[0]
    assert image.shape[0] >= least[1]
    assert np.abs(image.astype(int) - 77).max() <= 2


@pytest.mark.parametrize(
    ("least", "part"),
    [((160, 80), 1), ((81, 80), 1), ((80, 40), 2), ((41, 20), 2), ((40, 20), 4), ((20, 10), 8), ((2, 1), 8)],
)
def test_the_image_is_no_larger_than_needed(least: tuple[int, int], part: int) -> None:
    data = picture.encode(stripes(160, 80), 85)

    assert decode_reduced(data, (160, 80), least).shape == (80 // part, 160 // part, 3)


def test_bytes_that_are_not_a_jpeg_are_refused() -> None:
    with pytest.raises(PictureError, match="5 bytes"):
        decode_reduced(b"hello", (64, 48), (64, 48))
