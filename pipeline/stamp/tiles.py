"""A JPEG's tiles: some are cut out as pixels and put back changed, the others stay bit for bit.

A tile is the data between two restart markers (ITU-T T.81, E.1.4): a part of a row of MCUs. Tiles are
independent of each other, because an MCU's DC coefficients are coded as differences only from earlier ones in
the same tile. A JPEG without such tiles is given some first; its pixels stay the same.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice
from typing import Final

from pipeline.stamp import jpeg_head, scan
from pipeline.stamp.jpeg_head import Head, UnfitError
from pipeline.stamp.marks import Area, Mark
from pipeline.wire import picture
from pipeline.wire.covered import Patch
from pipeline.wire.jpeg import END
from pipeline.wire.picture import Image

# Within entropy-coded data, 0xff is followed by 0 or begins a marker: a restart, or the end.
_MARKER: Final = re.compile(rb"\xff[\xd0-\xd9]")
_RESTARTS: Final = tuple(bytes([0xFF, 0xD0 + number]) for number in range(8))


def draw_on_tiles(jpeg: bytes, marks: Sequence[Mark], quality: int | None) -> "Tiles":
    """Return a JPEG's tiles with marks on them: those that they touch change, the others stay bit for bit.

    The tiles are coded at `quality` (None: the JPEG's own). Raises `UnfitError` where the JPEG is of another
    kind or quality, `PictureError` where it cannot be decoded.
    """
    tiles = Tiles(jpeg, quality)
    for area in tiles.touched(part for mark in marks for part in mark.areas()):
        image = tiles.cut(area)
        for mark in marks:
            mark.draw(image, area.left * tiles.width, area.top * tiles.height)
        tiles.put(area, image)
    return tiles


class Tiles:
    """The tiles of a baseline JPEG, in `columns` and `rows`.

    Each is `width` by `height` pixels; those in the last column and row may hold fewer pixels. Areas are in
    tiles, except where they are said to be in pixels.
    """

    def __init__(self, jpeg: bytes, quality: int | None) -> None:
        """Take a JPEG whose tiles are to be put back at `quality` (None: the JPEG's own).

        Raises `UnfitError` where the JPEG is of another kind or quality, or damaged.
        """
        head = jpeg_head.read(jpeg)
        own = jpeg_head.quality_of(head.components)
        if quality not in (None, own):
            raise UnfitError("quality", own)
        if not scan.has_tiles(head):
            jpeg = _with_tiles(jpeg, head, own)
            head = jpeg_head.read(jpeg)
        self.columns, self.rows = head.row // head.interval, head.rows
        self.width, self.height = head.interval * head.mcu[0], head.mcu[1]
        self._jpeg, self._head, self._quality = jpeg, head, own
        self._begins, self._ends = [head.length], list[int]()
        self._changed: dict[int, bytes] = {}

    def touched(self, areas: Iterable[Area]) -> Sequence[Area]:
        """Return the tiles that areas in pixels touch, with gaps of one column filled, as disjoint areas."""
        return _touched(tuple(areas), self.columns, self.rows, self.width, self.height)

    def cut(self, area: Area) -> Image:
        """Return an area's pixels, as decoding the whole picture would give them.

        Raises `UnfitError` where restart markers are missing, `PictureError` where it cannot be decoded.
        """
        # Where colours have half the resolution, a tile's outermost pixels also depend on its neighbours.
        beside, above = (int(side > 8) for side in self._head.mcu)
        left, top = max(0, area.left - beside), max(0, area.top - above)
        right, bottom = min(self.columns, area.right + beside), min(self.rows, area.bottom + above)
        image = self._decode(Area(left, top, right, bottom))
        x, y = (area.left - left) * self.width, (area.top - top) * self.height
        width, height = (area.right - area.left) * self.width, (area.bottom - area.top) * self.height
        return image[y : y + height, x : x + width]

    def put(self, area: Area, image: Image) -> None:
        """Replace an area with an image."""
        data, begin = scan.encode(image, self._head), 0
        for tile, marker in zip(self._tiles(area), _MARKER.finditer(data), strict=True):
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

    def covered(self) -> list[Patch]:
        """Return what was replaced, as patches of what `join` returns."""
        patches, grown = [], 0
        for tile in sorted(self._changed):
            begin, end, new = self._begins[tile], self._ends[tile], len(self._changed[tile])
            patches.append(Patch(begin + grown, new, self._jpeg[begin:end]))
            grown += new - (end - begin)
        return patches

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
        height = min(area.bottom * self.height, head.height) - area.top * self.height
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


def _with_tiles(jpeg: bytes, head: Head, own: int | None) -> bytes:
    try:
        return scan.with_tiles(jpeg, head)
    except scan.ScanError:
        raise UnfitError("damaged", own) from None


@lru_cache(maxsize=256)  # marks seldom move from one frame to the next
def _touched(areas: tuple[Area, ...], columns: int, rows: int, width: int, height: int) -> tuple[Area, ...]:
    touched: dict[int, set[int]] = {}  # columns of each row
    for left, top, right, bottom in areas:
        across = range(max(0, left // width), min(columns, -(-right // width)))
        for row in range(max(0, top // height), min(rows, -(-bottom // height))):
            touched.setdefault(row, set()).update(across)
    found: list[Area] = []
    for row in sorted(touched):
        for left, right in _runs(sorted(touched[row])):
            above = next((one for one in found if one[::2] == (left, right) and one.bottom == row), None)
            if above is not None:
                found.remove(above)
            found.append(Area(left, above.top if above else row, right, row + 1))
    return tuple(found)


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    """Return ascending numbers as runs (first, end); a single missing number does not end a run."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and number <= runs[-1][1] + 1:
            runs[-1] = runs[-1][0], number + 1
        else:
            runs.append((number, number + 1))
    return runs
