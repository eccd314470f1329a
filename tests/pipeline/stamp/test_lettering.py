"""Texts that are made to fit, and drawn."""

import tracemalloc

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stamp import lettering
from pipeline.stamp.captions import COLOURS
from tests.consumer.fakes import PROPERTY

WHITE = (255, 255, 255)
WIDE = 100_000
MOST_KEPT = 16 * 2**20  # bytes
AROUND, FAR = 40, 700  # pixels


@pytest.mark.parametrize(
    ("text", "drawable"),
    [
        ("mountain bike", "mountain bike"),
        ("crème brûlée", "crème brûlée"),
        ("cre\u0300me", "crème"),
        ("собака", "собака"),
        ("σκύλος", "σκύλος"),
        ("\ue000", "?"),
        ("\ue000\u0301", "?"),
        ("\ud800", "?"),
        ("\ue000 film", "film"),
        ("two\nlines\0", "two lines"),
        ("", ""),
        ("  ", ""),
    ],
)
def test_texts_are_reduced_to_letters_that_can_be_drawn(text: str, drawable: str) -> None:
    assert lettering.drawable(text) == drawable


def test_a_text_that_fits_stays_as_it_is() -> None:
    text = lettering.fit("mountain bike", "93%", 20, WIDE)

    assert (text.text, text.letters) == ("mountain bike 93%", 20)


def test_a_text_that_almost_fits_becomes_smaller() -> None:
    width = lettering.fit("mountain bike", "93%", 20, WIDE).width

    text = lettering.fit("mountain bike", "93%", 20, round(width * 0.8))

    assert text.text == "mountain bike 93%"
    assert 15 <= text.letters <= 17


def test_the_label_of_a_longer_text_is_cut_and_the_score_kept() -> None:
    width = lettering.fit("mountain bike", "93%", 20, WIDE).width

    text = lettering.fit("mountain bike, all-terrain bike, off-roader", "93%", 20, width)

    assert text.text.startswith("mountain bike")
    assert text.text.endswith("… 93%")
    assert text.letters == pytest.approx(12)
    assert text.width >= 0.8 * width


@PROPERTY
@given(
    label=st.text(max_size=120) | st.just("i" * 300),
    end=st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=9),
    letters=st.floats(0.5, 100),
    room=st.integers(-5, 900),
)
def test_a_text_is_never_wider_than_its_room(label: str, end: str, letters: float, room: int) -> None:
    text = lettering.fit(label, end, letters, room)

    assert text.width <= max(0, room)
    assert text.letters <= letters


@PROPERTY
@given(
    label=st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=30),
    letters=st.floats(1, 60),
    colour=st.tuples(*[st.integers(0, 255)] * 3),
)
def test_a_text_is_drawn_within_its_rectangle(
    label: str, letters: float, colour: tuple[int, int, int]
) -> None:
    text = lettering.fit(label, "", letters, 1500)
    image = np.full((text.height + 40, text.width + 40, 3), 90, np.uint8)

    lettering.draw(image, text, 20, 20, colour)

    image[20 : 20 + text.height, 20 : 20 + text.width] = 90
    assert (image == 90).all()


def test_all_letters_stay_within_the_rectangle_at_all_sizes() -> None:
    for letters in range(3, 90):
        text = lettering.fit("(Ågjpqy|{[@$Q)", "%", letters, 10_000)
        image = np.full((text.height + 40, text.width + 40, 3), 90, np.uint8)

        lettering.draw(image, text, 20, 20, WHITE)

        assert (image > 220).all(axis=2).any()
        image[20 : 20 + text.height, 20 : 20 + text.width] = 90
        assert (image == 90).all(), letters


def test_an_empty_text_draws_nothing() -> None:
    image = np.full((20, 20, 3), 90, np.uint8)

    lettering.draw(image, lettering.NONE, 0, 0, WHITE)

    assert (image == 90).all()


def test_a_text_has_letters_in_its_colour_and_a_black_outline_around_them() -> None:
    text = lettering.fit("mountain bike", "93%", 20, WIDE)
    image = np.full((text.height, text.width, 3), 90, np.uint8)

    lettering.draw(image, text, 0, 0, (0, 159, 230))

    letters = (image == (0, 159, 230)).all(axis=2)
    untouched = (image == 90).all(axis=2)
    assert letters.sum() > 500
    assert (image == 0).all(axis=2).sum() > 500
    assert not (
        cv2.dilate(letters.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool) & untouched
    ).any()


def test_a_text_can_be_drawn_part_by_part() -> None:
    text = lettering.fit("mountain bike", "93%", 20, WIDE)
    whole, parts = np.full((2, 90, 300, 3), 90, np.uint8)
    lettering.draw(whole, text, 20, 10, WHITE)

    for left in range(0, 300, 50):
        for top in range(0, 90, 30):
            lettering.draw(parts[top : top + 30, left : left + 50], text, 20 - left, 10 - top, WHITE)

    assert np.array_equal(parts, whole)


def test_a_text_can_be_drawn_in_several_colours() -> None:
    text = lettering.fit("", "Nothing", 20, WIDE)
    image = np.zeros((text.height, text.width, 3), np.uint8)

    for colour in COLOURS:
        lettering.draw(image, text, 0, 0, colour)

        assert (image == np.array(colour)).all(axis=2).any()


def test_the_memory_for_texts_is_bounded() -> None:
    image = np.zeros((200, 4000, 3), np.uint8)
    tracemalloc.start()
    try:
        for number in range(60):
            text = lettering.fit(f"mountain bike, all-terrain bike {number}", "", 80, 4000)
            lettering.draw(image, text, 0, 0, WHITE)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert 60 * text.width * text.height * 4 > 2 * MOST_KEPT
    assert MOST_KEPT / 2 < kept < MOST_KEPT + 2**20


def test_the_last_texts_drawn_are_kept() -> None:
    size = lettering._Drawings(MOST_KEPT).get("0", 10, WHITE).size
    drawings = lettering._Drawings(3 * size)

    first = [drawings.get(text, 10, WHITE) for text in "012"]

    assert drawings.get("0", 10, WHITE) is first[0]
    drawings.get("3", 10, WHITE)
    kept = [drawings.get(str(number), 10, WHITE) is first[number] for number in (0, 2, 1)]
    assert kept == [True, True, False]


def test_a_text_on_a_line_with_tall_letters_is_higher() -> None:
    plain, tall = (lettering.fit(label, "93%", 20, WIDE) for label in ("aaa", "Ấấ"))

    assert tall.height > plain.height
    assert tall.height - tall.baseline == plain.height - plain.baseline
