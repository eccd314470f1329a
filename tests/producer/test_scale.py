import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer import scale
from tests.producer.conftest import stripes

lengths = st.integers(1, 150)


@given(lengths, lengths, st.floats(0.001, 8), st.floats(0.001, 8))
def test_an_image_is_scaled_to_the_requested_size(width: int, height: int, x: float, y: float) -> None:
    target = scale.size_of(width, height, (x, y))

    image = scale.to_size(np.full((height, width, 3), 77, np.uint8), *target)

    assert image.shape == (target[1], target[0], 3)
    assert (image == 77).all()
    assert min(target) >= 1


def test_an_image_of_the_right_size_is_left_unchanged() -> None:
    image = stripes(64, 48)

    assert scale.to_size(image, 64, 48) is image


@pytest.mark.parametrize("target", [(32, 24), (16, 12), (21, 16), (13, 10), (8, 6), (16, 48), (30, 40)])
def test_details_too_fine_for_the_smaller_image_are_averaged(target: tuple[int, int]) -> None:
    image = scale.to_size(stripes(64, 48), *target)

    assert np.abs(image[:, 1:-1].astype(int) - 127).max() <= 20


@pytest.mark.parametrize(("width", "height"), [(60, 24), (40, 24), (60, 48), (64, 24)])
def test_an_image_is_never_smaller_than_the_target_on_the_way(width: int, height: int) -> None:
    columns = scale.to_size(stripes(64, 48), width, height)
    rows = scale.to_size(stripes(64, 48).transpose(1, 0, 2), height, width)

    # At half the width, one-pixel stripes would be an even grey.
    assert columns.std() > 20
    assert rows.std() > 20


def test_an_image_that_shrinks_in_one_direction_is_averaged_too() -> None:
    image = scale.to_size(stripes(64, 48), 21, 48)

    assert np.abs(image.astype(int) - 127).max() <= 60
