"""A JPEG's tiles: some are cut out as pixels and put back changed, the others stay bit for bit.

A tile is the data between two restart markers (ITU-T T.81, E.1.4): a part of a row of MCUs, 16 pixels high.
Tiles are independent of each other, because an MCU's DC coefficients are coded as differences only from
earlier ones in the same tile.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from consumer.stamp import jpeg_head
from consumer.stamp.jpeg_head import UnfitError
from consumer.stamp.marks import Area, Mark
from pipeline.wire import picture
from pipeline.wire.jpeg import END, head_length
from pipeline.wire.picture import MCU, Image

# Within entropy-coded data, 0xff is followed by 0 or begins a marker: a restart, or the end.
_MARKER: Final = re.compile(rb"\xff[\xd0-\xd9]")
_RESTARTS: Final = tuple(bytes([0xFF, 0xD0 + number]) for number in range(8))


def draw_on_tiles(jpeg: bytes, marks: Sequence[Mark], quality: int | None) -> bytes:
    """Return a JPEG with marks on it: the tiles that they touch change, the others stay bit for bit.

    The tiles are coded at `quality` (None: the JPEG's own). Raises `UnfitError` where the JPEG is of another
    kind or quality, `PictureError` where it cannot be decoded.
    """
    tiles = Tiles(jpeg, quality)
    for area in tiles.touched(part for mark in marks for part in mark.areas()):
        image = tiles.cut(area)
        for mark in marks:
            mark.draw(image, area.left * tiles.width, area.top * MCU)
        tiles.put(area, image)
    return tiles.join()


class Tiles:
    """The tiles of a baseline JPEG with 4:2:0 subsampling, in `columns` and `rows`.

    Each is `width` pixels wide; those in the last column and row may hold fewer pixels. Areas are in tiles,
    except where they are said to be in pixels.
    """

    def __init__(self, jpeg: bytes, quality: int | None) -> None:
        """Take a JPEG whose tiles are to be put back at `quality` (None: the JPEG's own).

        Raises `UnfitError` where the JPEG is of another kind or quality, or where tiles span rows.
        """
        head = jpeg_head.read(jpeg)
        own = jpeg_head.quality_of(head.components)
        if own is None:
            raise UnfitError("tables")
        if quality not in (None, own):
            raise UnfitError("quality")
        row = -(-head.width // MCU)
        if not head.interval or row % head.interval:
            raise UnfitError("restarts", own)
        self.columns, self.rows = row // head.interval, -(-head.height // MCU)
        self.width = head.interval * MCU
        self._jpeg, self._head, self._quality = jpeg, head, own
        self._begins, self._ends = [head.length], list[int]()
        self._changed: dict[int, bytes] = {}

    def touched(self, areas: Iterable[Area]) -> list[Area]:
        """Return the tiles that areas in pixels touch, with gaps of one column filled, as disjoint areas."""
        columns: dict[int, set[int]] = {}
        for left, top, right, bottom in areas:
            across = range(max(0, left // self.width), min(self.columns, -(-right // self.width)))
            for row in range(max(0, top // MCU), min(self.rows, -(-bottom // MCU))):
                columns.setdefault(row, set()).update(across)
        found: list[Area] = []
        for row in sorted(columns):
            for left, right in _runs(sorted(columns[row])):
                above = next((one for one in found if one[::2] == (left, right) and one.bottom == row), None)
                if above is not None:
                    found.remove(above)
                found.append(Area(left, above.top if above else row, right, row + 1))
        return found

    def cut(self, area: Area) -> Image:
        """Return an area's pixels, as decoding the whole picture would give them.

        Raises `UnfitError` where restart markers are missing, `PictureError` where it cannot be decoded.
        """
        # Colours have half the resolution: a tile's outermost pixels also depend on its neighbours.
        left, top = max(0, area.left - 1), max(0, area.top - 1)
        around = Area(left, top, min(self.columns, area.right + 1), min(self.rows, area.bottom + 1))
        image = self._decode(around)
        x, y = (area.left - left) * self.width, (area.top - top) * MCU
        width, height = (area.right - area.left) * self.width, (area.bottom - area.top) * MCU
        return image[y : y + height, x : x + width]

    def put(self, area: Area, image: Image) -> None:
        """Replace an area with an image."""
        data = picture.encode(image, self._quality, self._head.interval)
        begin = head_length(data)
        for tile, marker in zip(self._tiles(area), _MARKER.finditer(data, begin), strict=True):
            self._changed[tile] = data[begin : marker.start()]
            begin = marker.end()

    def join(self) -> bytes:
        """Return the whole JPEG."""
        jpeg, at = memoryview(self._jpeg), 0
        pieces: list[bytes | memoryview] = []
        for tile in sorted(self._changed):
            pieces += jpeg[at : self._begins[tile]], self._changed[tile]
            at = self._ends[tile]
        return b"".join((*pieces, jpeg[at:]))

    def _decode(self, area: Area) -> Image:
        self._find(area.bottom)
        begins, ends, jpeg = self._begins, self._ends, self._jpeg
        pieces = [self._sized(area)]
        for number, tile in enumerate(self._tiles(area)):
            pieces += jpeg[begins[tile] : ends[tile]], _RESTARTS[number % 8]
        pieces[-1] = END
        return picture.decode(b"".join(pieces))

    def _tiles(self, area: Area) -> list[int]:
        """Return the numbers of an area's tiles, in the order of the file."""
        rows = (row * self.columns for row in range(area.top, area.bottom))
        return [tile for row in rows for tile in range(row + area.left, row + area.right)]

    def _sized(self, area: Area) -> bytes:
        """Return the JPEG's head, changed to the size of an area."""
        head = self._head
        height = min(area.bottom * MCU, head.height) - area.top * MCU
        width = min(area.right * self.width, head.width) - area.left * self.width
        size = height.to_bytes(2) + width.to_bytes(2)
        return self._jpeg[: head.size_at] + size + self._jpeg[head.size_at + 4 : head.length]

    def _find(self, rows: int) -> None:
        """Find the tiles of the first `rows` rows; raise `UnfitError` where markers are missing."""
        known, count = len(self._ends), rows * self.columns
        markers = list(islice(_MARKER.finditer(self._jpeg, self._begins[-1]), max(0, count - known)))
        self._ends += [marker.start() for marker in markers]
        self._begins += [marker.end() for marker in markers]
        expected = [_RESTARTS[tile % 8] for tile in range(known, count)]
        if rows == self.rows and expected:
            expected[-1] = END
        if [marker[0] for marker in markers] != expected:
            raise UnfitError("markers", self._quality)


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    """Return ascending numbers as runs (first, end); a single missing number does not end a run."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and number <= runs[-1][1] + 1:
            runs[-1] = runs[-1][0], number + 1
        else:
            runs.append((number, number + 1))
    return runs
