"""Where texts stand."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.stamp import layout
from consumer.stamp.layout import Line, Placed
from pipeline.wire.predictions import Box
from tests.consumer.fakes import PROPERTY

WHITE = (255, 255, 255)
SIZES = [(64, 48), (160, 120), (320, 240), (640, 272), (640, 480), (1280, 720), (1920, 1080), (3840, 2160)]
LABELS = st.text(max_size=60) | st.sampled_from(["", "🎥", "W" * 300])
SIDE = st.integers(1, 700)


def line(label: str = "mountain bike", end: str = "93%") -> Line:
    """Return a white line."""
    return Line(label, end, WHITE)


def is_within(placed: Placed, width: int, height: int) -> bool:
    """Tell whether a text is within a picture of that size."""
    text = placed.text
    return 0 <= placed.left <= width - text.width and 0 <= placed.top <= height - text.height


def meet(one: Placed, other: Placed) -> bool:
    """Tell whether two texts overlap."""
    rows = {*range(one.top, one.top + one.text.height)} & {*range(other.top, other.top + other.text.height)}
    columns = {*range(one.left, one.left + one.text.width)} & {
        *range(other.left, other.left + other.text.width)
    }
    return bool(rows and columns)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_lines_stand_under_each_other_in_the_upper_left_corner(width: int, height: int) -> None:
    first, second = layout.corner([line(), line()], width, height)

    assert 0 < first.left == second.left <= max(2, width / 40)
    assert 0 < first.top <= max(2, height / 20)
    assert second.top >= first.top + first.text.height
    assert is_within(second, width, height)
    assert first.text.text == "mountain bike 93%" or width < 100


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_letters_are_a_26th_of_the_height_and_never_tiny(width: int, height: int) -> None:
    (placed,) = layout.corner([line("", "Nothing")], width, height)

    assert placed.text.letters == pytest.approx(max(height / 26, width / 56, 8), rel=0.45)
    assert placed.text.letters >= 7


def test_lines_for_which_there_is_no_room_are_left_out() -> None:
    placed = layout.corner([line()] * 500, 640, 480)

    assert 10 <= len(placed) < 20
    assert all(is_within(text, 640, 480) for text in placed)


@PROPERTY
@given(labels=st.lists(st.tuples(LABELS, LABELS), max_size=5), width=SIDE, height=SIDE)
def test_lines_are_within_any_picture_and_apart(
    labels: list[tuple[str, str]], width: int, height: int
) -> None:
    placed = layout.corner([line(label, end) for label, end in labels], width, height)

    assert all(is_within(text, width, height) for text in placed)
    assert not any(meet(one, other) for one, other in pairwise(placed))


@PROPERTY
@given(box=st.tuples(SIDE, SIDE, SIDE, SIDE), label=LABELS, end=LABELS, width=SIDE, height=SIDE)
def test_a_boxs_label_is_within_any_picture(box: Box, label: str, end: str, width: int, height: int) -> None:
    clipped = layout.clip(box, width, height)
    if clipped is None:
        return

    assert is_within(layout.beside(clipped, line(label, end), width, height), width, height)


def test_a_label_stands_above_its_box() -> None:
    placed = layout.beside((100, 200, 80, 60), line("car"), 640, 480)

    assert placed.top + placed.text.height == 200
    assert placed.left == 100


def test_without_room_above_it_stands_within_the_box() -> None:
    placed = layout.beside((100, 5, 80, 60), line("car"), 640, 480)

    assert 5 < placed.top <= 10


def test_at_the_right_edge_it_moves_to_the_left() -> None:
    placed = layout.beside((630, 200, 10, 60), line("car"), 640, 480)

    assert placed.left + placed.text.width == 640


def test_it_avoids_what_others_take() -> None:
    box = (100, 200, 200, 100)
    placed = list[Placed]()

    for _ in range(4):
        placed.append(layout.beside(box, line("car"), 640, 480, placed))

    assert not any(meet(one, other) for one in placed for other in placed if one is not other)
    assert [text.top < 200 for text in placed] == [True, False, False, False]
    assert placed[3].top == 300


def test_where_all_is_taken_it_stands_above() -> None:
    whole = layout.corner([line()] * 20, 640, 480)

    placed = layout.beside((0, 200, 100, 100), line("car"), 640, 480, whole)

    assert placed.top + placed.text.height == 200


@pytest.mark.parametrize(
    ("box", "part"),
    [
        ((10, 20, 30, 40), (10, 20, 30, 40)),
        ((-10, -20, 30, 40), (0, 0, 20, 20)),
        ((90, 90, 30, 40), (90, 90, 10, 10)),
        ((-(10**30), 50, 10**31, 1), (0, 50, 100, 1)),
        ((100, 0, 10, 10), None),
        ((0, -10, 10, 10), None),
        ((5, 5, 0, 5), None),
        ((5, 5, -3, 5), None),
    ],
)
def test_boxes_are_clipped(box: Box, part: Box | None) -> None:
    assert layout.clip(box, 100, 100) == part
