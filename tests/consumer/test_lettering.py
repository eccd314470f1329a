"""Texts as they are made fit and drawn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer import lettering
from tests.consumer.fakes import PROPERTY

WHITE = (255, 255, 255)
WIDE = 100_000


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("mountain bike", "mountain bike"),
        ("crème brûlée", "creme brulee"),
        ("自行车", "?"),
        ("🎥", "?"),
        ("\ud800", "?"),
        ("🎥 film", "film"),
        ("two\nlines\0", "two lines"),
        ("", ""),
        ("  ", ""),
    ],
)
def test_texts_are_told_in_letters_that_can_be_drawn(text: str, plain: str) -> None:
    assert lettering.plain(text) == plain


def test_a_text_that_fits_stays_as_it_is() -> None:
    text = lettering.fit("mountain bike", "93%", 20, WIDE)

    assert (text.text, text.letters) == ("mountain bike 93%", 20)


def test_a_text_that_almost_fits_becomes_smaller() -> None:
    width = lettering.fit("mountain bike", "93%", 20, WIDE).width

    text = lettering.fit("mountain bike", "93%", 20, round(width * 0.8))

    assert text.text == "mountain bike 93%"
    assert 15 <= text.letters <= 17


def test_of_a_longer_one_the_label_is_cut_and_the_score_kept() -> None:
    width = lettering.fit("mountain bike", "93%", 20, WIDE).width

    text = lettering.fit("mountain bike, all-terrain bike, off-roader", "93%", 20, width)

    assert text.text.startswith("mountain bike")
    assert text.text.endswith("... 93%")
    assert text.letters == pytest.approx(12)
    assert text.width >= 0.8 * width


@PROPERTY
@given(
    label=st.text(max_size=120) | st.just("i" * 300),
    end=st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=9),
    letters=st.floats(0.5, 100),
    room=st.integers(-5, 900),
)
def test_no_text_is_wider_than_its_room(label: str, end: str, letters: float, room: int) -> None:
    text = lettering.fit(label, end, letters, room)

    assert text.width <= max(0, room)
    assert text.letters <= letters


@PROPERTY
@given(
    label=st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=30),
    letters=st.floats(1, 60),
    colour=st.tuples(*[st.integers(0, 255)] * 3),
)
def test_what_is_drawn_stays_within_its_rectangle(
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


def test_no_text_draws_nothing() -> None:
    image = np.full((20, 20, 3), 90, np.uint8)

    lettering.draw(image, lettering.NONE, 0, 0, WHITE)

    assert (image == 90).all()
