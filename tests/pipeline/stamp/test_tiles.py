"""Tiles that are cut out of a JPEG and put back."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stamp.jpeg_head import UnfitError
from pipeline.stamp.marks import Area
from pipeline.stamp.tiles import Tiles
from pipeline.wire import picture
from pipeline.wire.picture import MCU
from tests.consumer.fakes import PROPERTY
from tests.pipeline.stamp.jpegs import joined, noise, split

AREAS = st.lists(
    st.builds(
        lambda left, top, width, height: Area(left, top, left + width, top + height),
        *(st.integers(-60, 500), st.integers(-60, 300), st.integers(1, 400), st.integers(1, 200)),
    ),
    max_size=6,
)


def tiles(width: int, height: int, interval: int | None = None) -> Tiles:
    """Return a picture's tiles."""
    return Tiles(picture.encode(noise(width, height), 85, interval), None)


def members(areas: Sequence[Area]) -> list[tuple[int, int]]:
    """Return the column and row of each tile of areas in tiles."""
    return [
        (column, row)
        for area in areas
        for row in range(area.top, area.bottom)
        for column in range(area.left, area.right)
    ]


@pytest.mark.parametrize(
    ("width", "height", "columns", "rows", "across"),
    [
        (1280, 720, 5, 45, 256),
        (1279, 719, 5, 45, 256),
        (640, 480, 5, 30, 128),
        (1920, 1080, 5, 68, 384),
        (37 * 16, 100, 1, 7, 37 * 16),
        (1, 1, 1, 1, 16),
    ],
)
def test_tiles_are_parts_of_a_row(width: int, height: int, columns: int, rows: int, across: int) -> None:
    found = tiles(width, height)

    assert (found.columns, found.rows, found.width) == (columns, rows, across)


def test_the_width_follows_the_files_restart_interval() -> None:
    found = tiles(300, 120, interval=1)

    assert (found.columns, found.rows, found.width) == (19, 8, 16)


# Of 640 x 480 pixels: four columns of 160 pixels, thirty rows of 16.
@pytest.mark.parametrize(
    ("areas", "touched"),
    [
        ([], []),
        ([(5, 5, 300, 40)], [(0, 0, 2, 3)]),  # a text
        ([(0, 0, 160, 16)], [(0, 0, 1, 1)]),
        ([(0, 0, 161, 17)], [(0, 0, 2, 2)]),
        ([(159, 15, 160, 16)], [(0, 0, 1, 1)]),
        ([(-50, -50, 700, 500)], [(0, 0, 4, 30)]),
        ([(-50, -50, 0, 0), (640, 0, 700, 9), (0, 480, 9, 490)], []),
        ([(0, 16, 9, 32), (160, 16, 169, 32)], [(0, 1, 2, 2)]),  # side by side
        ([(0, 16, 9, 32), (0, 32, 9, 48)], [(0, 1, 1, 3)]),  # one above the other
        ([(0, 16, 9, 32), (160, 32, 169, 48)], [(0, 1, 1, 2), (1, 2, 2, 3)]),  # corner to corner
        ([(0, 0, 9, 16), (0, 32, 9, 48)], [(0, 0, 1, 1), (0, 2, 1, 3)]),  # a row between them
        ([(0, 0, 9, 16), (320, 0, 329, 16)], [(0, 0, 3, 1)]),  # a column between them
        ([(0, 0, 9, 16), (480, 0, 489, 16)], [(0, 0, 1, 1), (3, 0, 4, 1)]),  # two columns between them
        # A box whose sides are three columns apart: its upper edge, its two sides, its lower edge.
        (
            [(10, 20, 630, 24), (10, 20, 14, 104), (626, 20, 630, 104), (10, 100, 630, 104)],
            [(0, 1, 4, 2), (0, 2, 1, 6), (3, 2, 4, 6), (0, 6, 4, 7)],
        ),
        # And two columns apart: the only column between them is filled.
        (
            [(10, 20, 390, 24), (10, 20, 14, 104), (386, 20, 390, 104), (10, 100, 390, 104)],
            [(0, 1, 3, 7)],
        ),
    ],
)
def test_tiles_that_areas_touch(
    areas: list[tuple[int, int, int, int]], touched: list[tuple[int, int, int, int]]
) -> None:
    found = tiles(640, 480, interval=10).touched(Area(*area) for area in areas)

    assert sorted(found) == sorted(Area(*area) for area in touched)


@PROPERTY
@given(width=st.integers(1, 500), height=st.integers(1, 300), areas=AREAS)
def test_touched_areas_cover_all_pixels_once_and_little_more(
    width: int, height: int, areas: list[Area]
) -> None:
    picture_of = tiles(width, height, interval=1 if width % 2 else None)
    asked = np.zeros((picture_of.rows * MCU, picture_of.columns * picture_of.width), bool)
    for left, top, right, bottom in areas:
        asked[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = True

    found = picture_of.touched(areas)

    numbers = members(found)
    assert len(numbers) == len(set(numbers)), "no two meet"
    assert all(0 <= column < picture_of.columns and 0 <= row < picture_of.rows for column, row in numbers)
    hit = {
        (column, row)
        for column in range(picture_of.columns)
        for row in range(picture_of.rows)
        if asked[row * MCU :][:MCU, column * picture_of.width :][:, : picture_of.width].any()
    }
    assert hit <= set(numbers)
    # What was not asked for lies in a row between two that were.
    assert all({(column - 1, row), (column + 1, row)} <= hit for column, row in set(numbers) - hit)
    gaps = {(right + 1, row) for right, row in numbers} - set(numbers)
    assert not any((column + 1, row) in numbers for column, row in gaps), "none is one column apart"


@PROPERTY
@given(width=st.integers(1, 700), height=st.integers(1, 300), quality=st.integers(1, 100), data=st.data())
def test_an_area_is_cut_out_as_the_whole_picture_shows_it(
    width: int, height: int, quality: int, data: st.DataObject
) -> None:
    jpeg = picture.encode(noise(width, height), quality)
    found = Tiles(jpeg, None)
    left, top = data.draw(st.integers(0, found.columns - 1)), data.draw(st.integers(0, found.rows - 1))
    right = data.draw(st.integers(left + 1, found.columns))
    bottom = data.draw(st.integers(top + 1, found.rows))

    cut = found.cut(Area(left, top, right, bottom))

    whole = picture.decode(jpeg)[top * MCU : bottom * MCU, left * found.width : right * found.width]
    assert np.array_equal(cut, whole)


def test_an_area_is_put_back_in_its_place_and_nothing_else_changes() -> None:
    jpeg = picture.encode(noise(640, 96), 85, 10)
    found = Tiles(jpeg, None)
    area = Area(1, 2, 3, 4)

    found.put(area, np.zeros_like(found.cut(area)))

    came, went = split(jpeg), split(found.join())
    different = [at for at, tile in enumerate(came.tiles) if went.tiles[at] != tile]
    assert different == [9, 10, 13, 14]
    assert (went.head, went.markers) == (came.head, came.markers)
    # The colours of an area's outermost pixels also depend on those next to it.
    assert picture.decode(joined(went))[33:63, 161:479].max() == 0


def test_without_changes_the_file_stays_as_it_is() -> None:
    jpeg = picture.encode(noise(300, 120), 85)
    found = Tiles(jpeg, None)

    found.cut(Area(0, 0, 1, 1))

    assert found.join() == jpeg


def test_areas_may_be_cut_and_put_back_in_any_order() -> None:
    jpeg = picture.encode(noise(640, 96), 85, 10)
    down, up = Tiles(jpeg, None), Tiles(jpeg, None)
    areas = [Area(0, 0, 2, 1), Area(3, 1, 4, 3), Area(0, 5, 4, 6)]

    for found, order in (down, areas), (up, areas[::-1]):
        for area in order:
            found.put(area, 255 - found.cut(area))

    assert down.join() == up.join() != jpeg


def test_tiles_can_only_be_put_back_at_the_files_quality() -> None:
    jpeg = picture.encode(noise(300, 120), 85)

    Tiles(jpeg, 85)

    with pytest.raises(UnfitError, match="quality"):
        Tiles(jpeg, 84)


def test_a_missing_marker_is_noticed_where_it_is_needed() -> None:
    parts = split(picture.encode(noise(640, 96), 85, 10))
    parts.markers[9:10], parts.tiles[9:11] = [], [parts.tiles[9] + parts.tiles[10]]
    found = Tiles(joined(parts), None)

    found.cut(Area(0, 0, 4, 1))

    with pytest.raises(UnfitError, match="markers") as caught:
        found.cut(Area(0, 1, 1, 2))
    assert caught.value.quality == 85
