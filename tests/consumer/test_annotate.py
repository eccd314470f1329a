"""What is written on a frame, and where."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from consumer import annotate
from pipeline.picture import Image
from pipeline.predictions import Prediction, Result
from tests.consumer.fakes import PROPERTY

GREY = 90
SIZES = [(64, 48), (160, 120), (640, 360), (640, 480), (1280, 720), (1920, 1080), (3840, 2160)]


def blank(width: int, height: int) -> Image:
    """Return a picture of one colour."""
    return np.full((height, width, 3), GREY, np.uint8)


def drawn(texts: list[str], width: int, height: int) -> NDArray[np.bool_]:
    """Return which pixels of a picture the texts change."""
    image = blank(width, height)
    annotate.stamp(image, texts)
    changed: NDArray[np.bool_] = (image != GREY).any(axis=2)
    return changed


def letters(width: int, height: int) -> float:
    """Return the height of a capital letter on a picture of that size."""
    return max(height / 26, width / 56, 8)


def margin(height: int) -> int:
    """Return the distance of the text from the edge."""
    return max(4, height // 60)


def bottom(count: int, width: int, height: int) -> float:
    """Return the last row that so many lines may change."""
    return (2 * count + 0.3) * letters(width, height) + margin(height)


def test_no_model_at_all_says_nothing() -> None:
    assert annotate.lines([]) == ["Nothing"]


def test_a_line_has_the_label_the_score_and_the_age() -> None:
    prediction = Prediction("imagenet_1", (Result("mountain bike", 0.934),), 17, 41)

    assert annotate.lines([prediction]) == ["mountain bike 93% 41 ms"]


@pytest.mark.parametrize(
    ("age", "text"),
    [(0, "0 ms"), (None, "0 ms"), (999, "999 ms"), (1000, "1.0 s"), (1449, "1.4 s"), (9960, "10.0 s")],
)
def test_ages_are_in_milliseconds_up_to_a_second(age: int | None, text: str) -> None:
    prediction = Prediction("imagenet_1", (Result("tench", 1.0),), 17, age)

    assert annotate.lines([prediction]) == [f"tench 100% {text}"]


def test_models_stand_under_each_other_in_order_and_none_is_left_out() -> None:
    predictions = [
        Prediction("imagenet_1", (Result("tench", 0.5),), 17, 41),
        Prediction("imagenet_2"),
        Prediction("emonet_3", (Result("happy", 0.25), Result("sad", 0.75)), 16, 1500),
    ]

    assert annotate.lines(predictions) == ["tench 50% 41 ms", "Nothing", "happy 25% 1.5 s", "sad 75% 1.5 s"]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_only_the_upper_rows_change(width: int, height: int, count: int) -> None:
    rows = np.flatnonzero(drawn(["Ågjpqy|{[ 93% 41 ms"] * count, width, height).any(axis=1))

    assert rows.size
    assert rows.min() >= 0
    assert rows.max() <= bottom(count, width, height)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_text_begins_at_the_left_within_the_margin(width: int, height: int) -> None:
    columns = np.flatnonzero(drawn(["Nothing"], width, height).any(axis=0))

    assert 0 < columns.min() <= 2 * margin(height)
    assert columns.max() < width


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_lines_do_not_overlap(width: int, height: int) -> None:
    first = drawn(["gjpqy,;Q 93% 41 ms"], width, height)
    second = drawn([" ", "MHKbdfltiA0123456789%"], width, height)
    third = drawn([" ", " ", "MHKbdfltiA0123456789%"], width, height)

    assert first.any()
    assert second.any()
    assert not (first & second).any()
    assert not (drawn([" ", "gjpqy,;Q"], width, height) & third).any()


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_long_label_fits_the_width(width: int, height: int) -> None:
    image = blank(width, height)

    annotate.stamp(image, ["W" * 300])

    columns = np.flatnonzero((image > 150).all(axis=2).any(axis=0))
    assert columns.min() >= margin(height) / 2
    assert width - 2 * margin(height) <= columns.max() <= width - margin(height) / 2


def test_a_long_label_does_not_shrink_the_others() -> None:
    alone = drawn(["Nothing"], 640, 480)

    together = drawn(["Nothing", "W" * 300], 640, 480)

    rows = round(2 * letters(640, 480))
    assert np.array_equal(together[:rows], alone[:rows])


def test_text_is_white_with_black_around_it() -> None:
    image = blank(640, 480)

    annotate.stamp(image, ["Nothing"])

    assert (image > 220).all(axis=2).any()
    assert (image < 30).all(axis=2).any()


def test_text_can_be_read_on_white_and_on_black() -> None:
    for shade in (0, 255):
        image = np.full((480, 640, 3), shade, np.uint8)

        annotate.stamp(image, ["Nothing"])

        assert (image != shade).any()


def test_accents_go_and_the_letters_stay() -> None:
    assert np.array_equal(drawn(["crème brûlée"], 640, 480), drawn(["creme brulee"], 640, 480))


@pytest.mark.parametrize("text", ["自行车", "🎥", "\ud800"])
def test_what_has_no_ascii_letters_is_a_question_mark(text: str) -> None:
    assert np.array_equal(drawn([text], 640, 480), drawn(["?"], 640, 480))


@pytest.mark.parametrize(("width", "height"), [(1, 1), (8, 8), (16, 16), (4, 2000), (2000, 4), (7680, 4320)])
def test_no_size_is_too_small_or_too_large(width: int, height: int) -> None:
    image = blank(width, height)

    annotate.stamp(image, ["mountain bike 93% 41 ms", "Nothing"])

    assert image.shape == (height, width, 3)


def test_sixteen_pixels_a_side_show_something() -> None:
    assert drawn(["Nothing"], 16, 16).any()


def test_more_lines_than_fit_are_cut_off() -> None:
    many = drawn(["Nothing"] * 500, 64, 48)

    assert many[-8:].any()


@PROPERTY
@given(texts=st.lists(st.text(st.characters(), max_size=80), max_size=4), width=st.integers(1, 200))
def test_no_text_is_too_odd(texts: list[str], width: int) -> None:
    changed = drawn(texts, width, 100)

    assert not changed[round(bottom(len(texts), width, 100)) + 1 :].any()
