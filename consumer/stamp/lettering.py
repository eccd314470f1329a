"""Lettering: texts that are made to fit, and drawn with OpenCV's font."""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from pipeline.wire.picture import Image

Colour = tuple[int, int, int]
"""Blue, green and red, 0 to 255."""

_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_CAPITAL: Final = 22  # pixels of a capital letter at scale 1
_BELOW: Final = 0.35  # of the letters' height: how far a g reaches below the line
_SMALLEST: Final = 0.6  # of the letters' size; a text that is still too wide is cut
_READABLE: Final = 7.0  # pixels of a capital letter; smaller ones only where not even the end fits
_CUT: Final = "..."
_LONGEST: Final = 200  # characters
_MOST_KEPT: Final = 16 * 2**20  # bytes of drawn texts; one as wide as a 4K picture takes 2.4 MB


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text, and the size of its rectangle, outline included, in pixels.

    `letters` is the height of a capital letter. The text is empty where nothing fits.
    """

    text: str
    letters: float
    width: int
    height: int


NONE: Final = Text("", 0, 0, 0)


def drawable(text: str) -> str:
    """Return a text in the letters that OpenCV can draw, or `?` where none of its letters are."""
    # OpenCV's letters are ASCII: `crème brûlée` loses its accents rather than whole letters.
    known = unicodedata.normalize("NFKD", text[:_LONGEST]).encode("ascii", "ignore").decode()
    words = "".join(letter if letter.isprintable() else " " for letter in known).split()
    return " ".join(words) or ("?" if text.strip() else "")


def height(letters: float) -> int:
    """Return the height of a line, outline included, whose capital letters are `letters` pixels high."""
    return round(letters * (1 + _BELOW)) + 2 * _above(letters)


@lru_cache(maxsize=256)
def fit(label: str, end: str, letters: float, room: int) -> Text:
    """Return a text that is at most `room` pixels wide.

    Its letters shrink to as little as six tenths, but stay readable; then its label is cut, and its `end` is
    kept.
    """
    if not letters:
        return NONE
    label = drawable(label)
    text = f"{label} {end}".strip()
    width, least = _width(text, letters), max(letters * _SMALLEST, min(letters, _READABLE))
    while width > room and letters > least:
        letters = max(least, letters * 0.96)
        width = _width(text, letters)
    while width > room and label:
        # Letters differ in width: the measured width shows roughly how many are too many.
        label = label[: max(0, min(len(label) - 1, len(label) * room // width))].rstrip()
        text = f"{label}{_CUT} {end}".strip()
        width = _width(text, letters)
    while width > room and letters > 1:  # not even the end fits
        letters *= 0.8
        width = _width(text, letters)
    return Text(text, letters, width, height(letters)) if width <= room else NONE


def draw(image: Image, text: Text, left: int, top: int, colour: Colour) -> None:
    """Draw the part of a text that lies on the image; its upper left corner is at (`left`, `top`)."""
    x, y = max(0, left), max(0, top)
    target = image[y : max(0, top + text.height), x : max(0, left + text.width)]
    height, width = target.shape[:2]
    if height and width and text.text:
        part = slice(y - top, y - top + height), slice(x - left, x - left + width)
        pixels, mask = _drawings.get(text, colour)
        cv2.copyTo(pixels[part], mask[part], target)


class _Drawings:
    """The last texts drawn, up to `most` bytes, because labels seldom change. Not thread-safe."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._bytes = 0
        self._kept = dict[tuple[Text, Colour], tuple[Image, Image]]()

    def get(self, text: Text, colour: Colour) -> tuple[Image, Image]:
        """Return a text's rectangle on black, and a mask of the pixels that it covers."""
        drawn = self._kept.pop((text, colour), None)
        if drawn is None:
            drawn = _drawn(text, colour)
            self._bytes += _size(drawn)
        self._kept[text, colour] = drawn
        while self._bytes > self._most:
            self._bytes -= _size(self._kept.pop(next(iter(self._kept))))
        return drawn


_drawings: Final = _Drawings(_MOST_KEPT)


def _size(drawn: tuple[Image, Image]) -> int:
    return sum(part.nbytes for part in drawn)


def _drawn(text: Text, colour: Colour) -> tuple[Image, Image]:
    place = _beside(text.letters), _above(text.letters) + round(text.letters)
    scale = text.letters / _CAPITAL
    pixels = np.zeros((text.height, text.width, 3), np.uint8)
    mask = np.zeros((text.height, text.width), np.uint8)
    # The outline's own edge is not smoothed: that would take longer than everything else.
    cv2.putText(mask, text.text, place, _FONT, scale, (255,), _outline(text.letters), cv2.LINE_8)
    cv2.putText(pixels, text.text, place, _FONT, scale, colour, _stroke(text.letters), cv2.LINE_AA)
    return pixels, mask


def _width(text: str, letters: float) -> int:
    (width, _), _ = cv2.getTextSize(text, _FONT, letters / _CAPITAL, 1)
    return width + 2 * _beside(letters)


def _stroke(letters: float) -> int:
    # A smoothed stroke of one pixel is too faint for letters of 12 pixels or more.
    return max(2 if letters >= 11.5 else 1, round(letters / 11))


def _outline(letters: float) -> int:
    return _stroke(letters) + 2 * max(1, round(letters / 9))


def _beside(letters: float) -> int:
    return round(_outline(letters) * 0.7) + 1


def _above(letters: float) -> int:
    return _outline(letters) + 2  # brackets are taller than capital letters
