"""Predictions drawn on a whole picture."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.stamp import draw_predictions
from pipeline.stamp.captions import COLOURS
from pipeline.wire.picture import Image
from pipeline.wire.predictions import Box, Prediction, Result
from tests.consumer.fakes import PROPERTY
from tests.pipeline.stamp.jpegs import answer

GREY = 90
WHITE, BLUE, *_ = COLOURS


def blank(width: int, height: int) -> Image:
    """Return a picture of one colour."""
    return np.full((height, width, 3), GREY, np.uint8)


def drawn(*predictions: Prediction, width: int = 640, height: int = 480) -> Image:
    """Return a picture of one colour with the predictions on it."""
    image = blank(width, height)
    draw_predictions(image, predictions)
    return image


def has(image: Image, colour: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Return which pixels have a colour."""
    same: NDArray[np.bool_] = (image == np.array(colour, np.uint8)).all(axis=2)
    return same


def extent(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Return the first and last column and row that hold something."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    return int(columns[0]), int(columns[-1]), int(rows[0]), int(rows[-1])


def test_text_is_white_with_black_around_it() -> None:
    image = drawn()

    assert has(image, (255, 255, 255)).any()
    left, right, top, bottom = extent(has(image, (0, 0, 0)))
    inner = extent(has(image, (255, 255, 255)))
    assert left < inner[0] <= inner[1] < right
    assert top < inner[2] <= inner[3] < bottom


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_text_can_be_read_on_any_shade(shade: int) -> None:
    image = np.full((480, 640, 3), shade, np.uint8)

    draw_predictions(image, [])

    assert has(image, (255, 255, 255)).sum() > 200
    assert has(image, (0, 0, 0)).sum() > 200


def test_a_box_is_drawn_in_the_models_colour_where_it_is() -> None:
    image = drawn(answer("imagenet_1"), answer("detect_2", Result("", 1, (200, 150, 120, 90))))

    edge = has(image[150:240, 200:320], BLUE)
    assert edge[:, 0].all()
    assert edge[:, -1].all()
    assert edge[0].all()
    assert edge[-1].all()
    assert not edge[8:-8, 8:-8].any()
    assert (image[160:230, 210:310] == GREY).all()


def test_a_label_is_above_its_box() -> None:
    image = drawn(answer("detect_1", Result("car", 0.5, (200, 150, 120, 90))))

    left, right, top, bottom = extent((image != GREY).any(axis=2)[:146])
    assert 195 <= left < right <= 320
    assert 110 <= top < bottom <= 146


def test_a_label_that_would_leave_the_picture_is_inside_the_box() -> None:
    image = drawn(answer("detect_1", Result("car", 0.5, (200, 4, 120, 90))))

    assert has(image[10:60, 205:315], WHITE).any()
    assert (image[100:] == GREY).all()


def test_a_label_avoids_the_lines_in_the_corner() -> None:
    first = answer("imagenet_1", Result("tench", 0.5))
    apart = has(drawn(first), WHITE)

    image = drawn(first, answer("detect_2", Result("car", 0.5, (2, 40, 120, 90))))

    assert has(image, WHITE)[apart].all()
    assert has(image[45:125, 8:110], BLUE).any()


@pytest.mark.parametrize("box", [(-50, -50, 40, 40), (700, 10, 5, 5), (10, 10, 0, 5), (10, 480, 50, 9)])
def test_a_box_outside_the_picture_leaves_no_trace(box: Box) -> None:
    assert (drawn(answer("detect_1", Result("car", 0.5, box))) == GREY).all()


ODD = st.text(st.characters(), max_size=80) | st.sampled_from(
    ["", " ", "🎥", "自行车", "\ud800", "\n\0", "W" * 5000]
)
SIDES = st.integers(-(2**40), 2**40) | st.integers(-300, 300)
BOXES = st.none() | st.tuples(SIDES, SIDES, SIDES, SIDES)
RESULTS = st.builds(Result, ODD, st.floats(0, 1), BOXES)
PREDICTIONS = st.builds(
    Prediction,
    st.just("detect_1"),
    st.lists(RESULTS, max_size=4).map(tuple),
    st.none() | st.integers(0, 9),
    st.none() | st.integers(0, 10**9),
)


@PROPERTY
@given(predictions=st.lists(PREDICTIONS, max_size=4), width=st.integers(1, 260), height=st.integers(1, 200))
def test_any_predictions_can_be_drawn_on_any_picture(
    predictions: list[Prediction], width: int, height: int
) -> None:
    image = drawn(*predictions, width=width, height=height)

    assert image.shape == (height, width, 3)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (8, 8), (4, 2000), (2000, 4), (7680, 4320)])
def test_no_size_is_too_small_or_too_large(width: int, height: int) -> None:
    boxed = Result("mountain bike", 0.93, (0, 0, width, height))

    image = drawn(answer("detect_1", boxed, Result("tench", 0.5)), width=width, height=height)

    assert (image != GREY).any()
