"""What is drawn on a frame."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from consumer.stamp import annotate, layout
from consumer.stamp.annotate import COLOURS, Mark, Outline
from consumer.stamp.layout import Line
from pipeline.wire.picture import Image
from pipeline.wire.predictions import Box, Prediction, Result
from tests.consumer.fakes import PROPERTY

GREY = 90
WHITE, BLUE, ORANGE, *_ = COLOURS


def blank(width: int = 640, height: int = 480) -> Image:
    """Return a picture of one colour."""
    return np.full((height, width, 3), GREY, np.uint8)


def stamped(*predictions: Prediction, width: int = 640, height: int = 480) -> Image:
    """Return a picture of one colour with the predictions on it."""
    image = blank(width, height)
    annotate.stamp(image, predictions)
    return image


def answer(model: str, *results: Result, age_ms: int = 41) -> Prediction:
    """Return a model's answer."""
    return Prediction(model, results, 17, age_ms)


def has(image: Image, colour: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Return which pixels have a colour."""
    same: NDArray[np.bool_] = (image == np.array(colour, np.uint8)).all(axis=2)
    return same


def extent(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Return the first and last column and row that hold something."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    return int(columns[0]), int(columns[-1]), int(rows[0]), int(rows[-1])


def texts(*predictions: Prediction) -> list[str]:
    """Return the texts of the lines in the corner."""
    return [f"{line.label} {line.end}".strip() for line in annotate.lines(predictions)]


def test_no_model_at_all_says_nothing() -> None:
    assert texts() == ["Nothing"]


def test_a_line_has_the_label_and_the_score() -> None:
    assert texts(answer("imagenet_1", Result("mountain bike", 0.934))) == ["mountain bike 93%"]


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (0, "tench 100%"),
        (999, "tench 100%"),
        (1000, "tench 100% 1.0 s old"),
        (2345, "tench 100% 2.3 s old"),
        (9960, "tench 100% 10.0 s old"),
    ],
)
def test_the_age_is_told_from_a_second_on(age: int, text: str) -> None:
    assert texts(answer("imagenet_1", Result("tench", 1.0), age_ms=age)) == [text]


def test_models_stand_under_each_other_in_order_each_in_its_colour() -> None:
    lines = annotate.lines(
        [
            answer("imagenet_1", Result("tench", 0.5)),
            Prediction("imagenet_2"),
            answer("classify_3", Result("red", 0.25), Result("blue", 0.75), age_ms=1500),
        ]
    )

    assert lines == [
        Line("tench", "50%", WHITE),
        Line("", "Nothing", BLUE),
        Line("red", "25% 1.5 s old", ORANGE),
        Line("blue", "75% 1.5 s old", ORANGE),
    ]


def test_a_model_that_has_seen_nothing_leaves_no_line_beside_others() -> None:
    assert texts(answer("imagenet_1", Result("tench", 0.5)), answer("emonet_2")) == ["tench 50%"]
    assert texts(answer("emonet_1"), Prediction("imagenet_2")) == ["Nothing"]


def test_a_frame_on_which_all_have_seen_nothing_says_so_once() -> None:
    assert texts(answer("emonet_1"), answer("detect_2")) == ["Nothing"]


def test_where_boxes_stand_nothing_need_be_said() -> None:
    boxed = answer("detect_1", Result("car", 0.5, (10, 10, 50, 50)))

    assert texts(boxed, answer("emonet_2")) == []
    assert texts(boxed, Prediction("emonet_2")) == ["Nothing"]


def test_there_are_colours_for_many_models_and_no_two_are_alike() -> None:
    predictions = [answer(f"imagenet_{number}", Result("tench", 1)) for number in range(20)]

    lines = annotate.lines(predictions)

    assert len(set(COLOURS)) == len(COLOURS) >= 7
    assert [line.colour for line in lines[:7]] == list(COLOURS[:7])
    assert lines[7].colour == WHITE


def test_text_is_white_with_black_around_it() -> None:
    image = stamped()

    assert has(image, (255, 255, 255)).any()
    left, right, top, bottom = extent(has(image, (0, 0, 0)))
    inner = extent(has(image, (255, 255, 255)))
    assert left < inner[0] <= inner[1] < right
    assert top < inner[2] <= inner[3] < bottom


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_text_can_be_read_on_any_shade(shade: int) -> None:
    image = np.full((480, 640, 3), shade, np.uint8)

    annotate.stamp(image, [])

    assert has(image, (255, 255, 255)).sum() > 200
    assert has(image, (0, 0, 0)).sum() > 200


def test_a_box_is_drawn_in_the_models_colour_where_it_is() -> None:
    image = stamped(answer("imagenet_1"), answer("detect_2", Result("", 1, (200, 150, 120, 90))))

    edge = has(image[150:240, 200:320], BLUE)
    assert edge[:, 0].all()
    assert edge[:, -1].all()
    assert edge[0].all()
    assert edge[-1].all()
    assert not edge[8:-8, 8:-8].any()
    assert (image[160:230, 210:310] == GREY).all()


def test_a_label_stands_above_its_box() -> None:
    image = stamped(answer("detect_1", Result("car", 0.5, (200, 150, 120, 90))))

    left, right, top, bottom = extent((image != GREY).any(axis=2)[:146])
    assert 195 <= left < right <= 320
    assert 110 <= top < bottom <= 146


def test_a_label_that_would_leave_the_picture_stands_within_the_box() -> None:
    image = stamped(answer("detect_1", Result("car", 0.5, (200, 4, 120, 90))))

    assert has(image[10:60, 205:315], WHITE).any()
    assert (image[100:] == GREY).all()


def test_a_label_gives_way_to_the_lines_in_the_corner() -> None:
    first = answer("imagenet_1", Result("tench", 0.5))
    apart = has(stamped(first), WHITE)

    image = stamped(first, answer("detect_2", Result("car", 0.5, (2, 40, 120, 90))))

    assert has(image, WHITE)[apart].all()
    assert has(image[45:125, 8:110], BLUE).any()


@pytest.mark.parametrize("box", [(-50, -50, 40, 40), (700, 10, 5, 5), (10, 10, 0, 5), (10, 480, 50, 9)])
def test_a_box_outside_the_picture_leaves_no_trace(box: Box) -> None:
    assert (stamped(answer("detect_1", Result("car", 0.5, box))) == GREY).all()


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
def test_any_answers_can_be_drawn_on_any_picture(
    predictions: list[Prediction], width: int, height: int
) -> None:
    image = stamped(*predictions, width=width, height=height)

    assert image.shape == (height, width, 3)


@PROPERTY
@given(
    box=st.tuples(*[st.integers(30, 100)] * 2, *[st.integers(1, 150)] * 2),
    thin=st.integers(1, 12),
    label=st.sampled_from(["car", "(Ågjpq|{[@$Q)", ""]),
)
def test_marks_are_drawn_within_their_areas_and_these_are_hardly_larger(
    box: Box, thin: int, label: str
) -> None:
    text = layout.beside(box, Line(label, "93%", WHITE), 400, 300)

    for mark in Outline(box, thin, BLUE), text:
        image = blank(400, 300)
        mark.draw(image, 0, 0)
        within = np.zeros((300, 400), bool)
        for left, top, right, bottom in mark.areas():
            within[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = True
        drawn = (image != GREY).any(axis=2)
        assert not (drawn & ~within).any()
        if mark is not text:
            kernel = np.ones((2 * thin + 5, 2 * thin + 5), np.uint8)
            assert not (within & (cv2.dilate(drawn.astype(np.uint8), kernel) == 0)).any()


def test_a_mark_is_drawn_onto_a_part_of_the_picture_as_onto_all_of_it() -> None:
    marks: list[Mark] = [
        Outline((20, 30, 100, 60), 2, BLUE),
        layout.beside((20, 30, 100, 60), Line("car", "93%", WHITE), 320, 240),
    ]
    whole, parts = blank(320, 240), blank(320, 240)

    for mark in marks:
        mark.draw(whole, 0, 0)
        for left in range(0, 320, 64):
            for top in range(0, 240, 16):
                mark.draw(parts[top : top + 16, left : left + 64], left, top)

    assert np.array_equal(parts, whole)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (8, 8), (4, 2000), (2000, 4), (7680, 4320)])
def test_no_size_is_too_small_or_too_large(width: int, height: int) -> None:
    boxed = Result("mountain bike", 0.93, (0, 0, width, height))

    image = stamped(answer("detect_1", boxed, Result("tench", 0.5)), width=width, height=height)

    assert (image != GREY).any()
