"""The places of texts and boxes."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stamp.captions import Caption
from pipeline.stamp.marks import Outline, TextMark
from pipeline.stamp.place import place_captions
from pipeline.wire.predictions import Box
from tests.consumer.fakes import PROPERTY

WHITE = (255, 255, 255)
SIZES = [(64, 48), (160, 120), (320, 240), (640, 272), (640, 480), (1280, 720), (1920, 1080), (3840, 2160)]
LABELS = st.text(max_size=60) | st.sampled_from(["", "🎥", "W" * 300])
SIDE = st.integers(1, 700)


def caption(label: str = "mountain bike", end: str = "93%", box: Box | None = None) -> Caption:
    """Return a white caption."""
    return Caption(label, end, WHITE, box)


def texts(captions: list[Caption], width: int = 640, height: int = 480) -> list[TextMark]:
    """Return the texts that show captions on a picture."""
    return [mark for mark in place_captions(captions, width, height) if isinstance(mark, TextMark)]


def label_of(box: Box) -> TextMark:
    """Return a box's label on a picture of 640 x 480 pixels."""
    (label,) = texts([caption("car", box=box)])
    return label


def is_within(mark: TextMark, width: int, height: int) -> bool:
    """Return whether a text is within a picture of that size."""
    text = mark.text
    return 0 <= mark.left <= width - text.width and 0 <= mark.top <= height - text.height


def overlap(one: TextMark, other: TextMark) -> bool:
    """Return whether two texts overlap."""
    rows = {*range(one.top, one.top + one.text.height)} & {*range(other.top, other.top + other.text.height)}
    columns = {*range(one.left, one.left + one.text.width)} & {
        *range(other.left, other.left + other.text.width)
    }
    return bool(rows and columns)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_lines_are_below_each_other_in_the_upper_left_corner(width: int, height: int) -> None:
    first, second = texts([caption(), caption()], width, height)

    assert 0 < first.left == second.left <= max(2, width / 40)
    assert 0 < first.top <= max(2, height / 20)
    assert second.top >= first.top + first.text.height
    assert is_within(second, width, height)
    assert first.text.text == "mountain bike 93%" or width < 100


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_letters_are_a_26th_of_the_height_and_never_tiny(width: int, height: int) -> None:
    (mark,) = texts([caption("", "Nothing")], width, height)

    assert mark.text.letters == pytest.approx(max(height / 26, width / 56, 8), rel=0.45)
    assert mark.text.letters >= 7


def test_letters_at_a_box_are_eight_tenths_of_those_in_the_corner() -> None:
    line, label = texts([caption("", "car"), caption("", "car", (300, 300, 90, 90))])

    assert label.text.letters == pytest.approx(0.8 * line.text.letters, abs=0.5)


def test_lines_for_which_there_is_no_room_are_left_out() -> None:
    *lines, count = texts([caption()] * 500)

    assert 10 <= len(lines) < 20
    assert count.text.text == f"+{500 - len(lines)}"
    assert all(is_within(mark, 640, 480) for mark in [*lines, count])
    assert not any(overlap(line, count) for line in lines)


def test_texts_that_do_not_fit_are_left_out() -> None:
    assert texts([caption(), caption(box=(0, 0, 1, 100))], 1, 300) == []


@PROPERTY
@given(labels=st.lists(st.tuples(LABELS, LABELS), max_size=5), width=SIDE, height=SIDE)
def test_lines_are_within_any_picture_and_apart(
    labels: list[tuple[str, str]], width: int, height: int
) -> None:
    placed = texts([caption(label, end) for label, end in labels], width, height)

    assert all(is_within(mark, width, height) for mark in placed)
    assert not any(overlap(one, other) for one, other in combinations(placed, 2))


@PROPERTY
@given(box=st.tuples(SIDE, SIDE, SIDE, SIDE), label=LABELS, end=LABELS, width=SIDE, height=SIDE)
def test_a_boxs_label_is_within_any_picture(box: Box, label: str, end: str, width: int, height: int) -> None:
    placed = texts([caption(label, end, box)], width, height)

    assert all(is_within(mark, width, height) for mark in placed)


def test_a_label_is_above_its_box() -> None:
    label = label_of((100, 200, 80, 60))

    assert label.top + label.text.height == 200
    assert label.left == 100


def test_without_room_above_it_the_label_is_inside_the_box() -> None:
    label = label_of((100, 5, 80, 60))

    assert 5 < label.top <= 10


def test_at_the_right_edge_the_label_moves_to_the_left() -> None:
    label = label_of((630, 200, 10, 60))

    assert label.left + label.text.width == 640


def test_labels_avoid_each_other() -> None:
    placed = texts([caption("car", box=(100, 200, 200, 100))] * 4)

    assert not any(overlap(one, other) for one, other in combinations(placed, 2))
    assert [mark.top < 200 for mark in placed] == [True, False, False, False]
    assert placed[3].top == 300


def test_labels_avoid_the_lines_in_the_corner() -> None:
    line, label = texts([caption("car", box=(0, 30, 200, 100)), caption()])

    assert line.text.text == "mountain bike 93%"
    assert not overlap(line, label)
    assert label.top > 30


def test_labels_without_a_free_place_are_counted() -> None:
    *labels, count = texts([caption("car", box=(100, 200, 60, 40))] * 40)

    assert all(label.text.text == "car 93%" for label in labels)
    assert count.text.text == f"+{40 - len(labels)}"
    assert count.left + count.text.width == 640
    assert count.top + count.text.height == 480


def test_a_text_makes_room_for_the_count() -> None:
    placed = texts([caption("W" * 99)] * 99, 300, 60)

    assert placed[-1].text.text == f"+{99 - len(placed) + 1}"
    assert not any(overlap(one, other) for one, other in combinations(placed, 2))


@PROPERTY
@given(
    boxes=st.lists(st.tuples(SIDE, SIDE, SIDE, SIDE), min_size=1, max_size=10),
    lines=st.integers(0, 3),
    label=LABELS,
    width=SIDE,
    height=SIDE,
)
def test_texts_never_cover_each_other_and_none_is_lost(
    boxes: list[Box], lines: int, label: str, width: int, height: int
) -> None:
    captions = [caption()] * lines + [caption(label, box=box) for box in boxes]

    marks = place_captions(captions, width, height)

    placed = [mark for mark in marks if isinstance(mark, TextMark)]
    wanted = lines + sum(isinstance(mark, Outline) for mark in marks)
    assert all(is_within(mark, width, height) for mark in placed)
    assert not any(overlap(one, other) for one, other in combinations(placed, 2))
    if placed and len(placed) != wanted:
        *others, count = placed
        assert count.text.text == f"+{wanted - len(others)}"


def test_a_small_picture_stays_readable() -> None:
    captions = [caption(), *(caption("person", box=(20 + 50 * i, 60, 40, 70)) for i in range(3))]

    placed = texts(captions, 176, 144)

    assert [mark.text.text for mark in placed] == ["mountain bike 93%", *["person 93%"] * 3]
    assert all(mark.text.letters >= 7 for mark in placed)


def test_outlines_are_drawn_first() -> None:
    marks = place_captions([caption(), *[caption("car", box=(100, 200, 80, 60))] * 2], 640, 480)

    assert [type(mark) for mark in marks] == [Outline, Outline, TextMark, TextMark, TextMark]


@pytest.mark.parametrize(
    ("box", "part"),
    [
        ((10, 20, 30, 40), (10, 20, 30, 40)),
        ((-10, -20, 30, 40), (0, 0, 20, 20)),
        ((90, 90, 30, 40), (90, 90, 10, 10)),
        ((-(10**30), 50, 10**31, 1), (0, 50, 100, 1)),
    ],
)
def test_boxes_are_clipped_to_the_picture(box: Box, part: Box) -> None:
    assert place_captions([caption(box=box)], 100, 100)[0] == Outline(part, 1, WHITE)


@pytest.mark.parametrize("box", [(100, 0, 10, 10), (0, -10, 10, 10), (5, 5, 0, 5), (5, 5, -3, 5)])
def test_boxes_outside_the_picture_are_left_out_with_their_labels(box: Box) -> None:
    assert not place_captions([caption(box=box)], 100, 100)


@pytest.mark.parametrize(("height", "thin"), [(48, 1), (480, 1), (720, 2), (2160, 6)])
def test_the_edges_of_a_box_are_as_thick_as_the_picture_is_high(height: int, thin: int) -> None:
    assert place_captions([caption(box=(5, 5, 20, 20))], 640, height)[0] == Outline(
        (5, 5, 20, 20), thin, WHITE
    )
