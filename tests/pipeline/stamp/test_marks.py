"""Marks that draw themselves."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stamp import lettering
from pipeline.stamp.captions import COLOURS
from pipeline.stamp.marks import Area, Mark, Outline, TextMark
from pipeline.wire.picture import Image
from pipeline.wire.predictions import Box
from tests.consumer.fakes import PROPERTY

GREY = 90
WHITE, BLUE, *_ = COLOURS


def blank(width: int, height: int) -> Image:
    """Return a picture of one colour."""
    return np.full((height, width, 3), GREY, np.uint8)


def text_mark(left: int, top: int, label: str = "car") -> TextMark:
    """Return a white text."""
    return TextMark(lettering.fit(label, "93%", 12, 400), left, top, WHITE)


def drawn_and_covered(mark: Mark) -> tuple[Image, Image]:
    """Return which pixels of a picture of 400 x 300 a mark changes, and which its areas cover."""
    image, covered = blank(400, 300), np.zeros((300, 400), np.uint8)
    mark.draw(image, 0, 0)
    for left, top, right, bottom in mark.areas():
        covered[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = 1
    return (image != GREY).any(axis=2).astype(np.uint8), covered


@pytest.mark.parametrize("thin", [2, 3, 6])
def test_an_outline_has_as_much_black_on_either_side_as_it_is_thick(thin: int) -> None:
    image = blank(120, 120)

    Outline((50, 50, 40, 40), thin, BLUE).draw(image, 0, 0)

    left_edge = image[70, 30:71]
    blue = np.flatnonzero((left_edge == BLUE).all(axis=1))
    black = np.flatnonzero((left_edge == 0).all(axis=1))
    assert (black < blue[0]).sum() == (black > blue[-1]).sum() == thin


@PROPERTY
@given(
    box=st.tuples(*[st.integers(30, 100)] * 2, *[st.integers(1, 150)] * 2),
    thin=st.integers(1, 12),
)
def test_an_outline_is_drawn_within_its_areas_which_are_hardly_larger(box: Box, thin: int) -> None:
    drawn, covered = drawn_and_covered(Outline(box, thin, BLUE))

    assert not (drawn & ~covered).any()
    nearby = cv2.dilate(drawn, np.ones((2 * thin + 5, 2 * thin + 5), np.uint8))
    assert not (covered & (nearby == 0)).any()


@PROPERTY
@given(
    left=st.integers(-50, 350),
    top=st.integers(-20, 280),
    label=st.sampled_from(["car", "(Ågjpq|{[@$Q)", ""]),
)
def test_a_text_is_drawn_within_its_area(left: int, top: int, label: str) -> None:
    mark = text_mark(left, top, label)

    drawn, covered = drawn_and_covered(mark)

    assert not (drawn & ~covered).any()
    assert list(mark.areas()) == [Area(left, top, left + mark.text.width, top + mark.text.height)]


def test_marks_look_the_same_when_drawn_on_parts_of_the_picture() -> None:
    marks: list[Mark] = [Outline((20, 30, 100, 60), 2, BLUE), text_mark(20, 10)]
    whole, parts = blank(320, 240), blank(320, 240)

    for mark in marks:
        mark.draw(whole, 0, 0)
        for left in range(0, 320, 64):
            for top in range(0, 240, 16):
                mark.draw(parts[top : top + 16, left : left + 64], left, top)

    assert np.array_equal(parts, whole)
    assert (whole != GREY).any()
