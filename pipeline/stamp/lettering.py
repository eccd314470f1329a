"""Lettering: texts that are made to fit, and drawn with real fonts."""

import math
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from pipeline.stamp import fonts
from pipeline.wire.picture import Image

Colour = tuple[int, int, int]
"""Blue, green and red, 0 to 255."""

_BELOW: Final = 0.35  # of the letters' height: how far a g reaches below the line
_SPACE: Final = 0.4  # of the letters' height: between a label and its end
_SMALLEST: Final = 0.6  # of the letters' size; a text that is still too wide is cut
_READABLE: Final = 7.0  # pixels of a capital letter; smaller ones only where not even the end fits
_STEP: Final = 0.5  # pixels; letters have few sizes, so that few fonts are opened
_CUT: Final = "…"
_LONGEST: Final = 200  # characters
_MOST_KEPT: Final = 16 * 2**20  # bytes of drawn texts; one as wide as a 4K picture takes 2.4 MB
_COVERED: Final = 100  # of 255: how much of a pixel a letter covers where its outline begins


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text, and the size of its rectangle, outline included, in pixels.

    `letters` is the height of a capital letter, and `baseline` the rows above the line on which the letters
    stand. The text is empty where nothing fits.
    """

    label: str
    end: str
    letters: float
    width: int
    height: int
    baseline: int

    @property
    def text(self) -> str:
        """The whole line."""
        return f"{self.label} {self.end}".strip()


NONE: Final = Text("", "", 0, 0, 0, 0)


def drawable(text: str) -> str:
    """Return a text in the letters that some font has, or `?` where there are none of its letters."""
    composed = unicodedata.normalize("NFC", text[:_LONGEST])
    spaced = "".join(letter if letter.isprintable() or _is_joiner(letter) else " " for letter in composed)
    known = "".join(part for _, part in fonts.runs(" ".join(spaced.split())))
    return " ".join(known.split()) if known.strip() else ("?" if text.strip() else "")


def height(letters: float) -> int:
    """Return the height of a line, outline included, whose capital letters are `letters` pixels high."""
    return round(letters * (1 + _BELOW)) + 2 * _above(letters)


@lru_cache(maxsize=256)
def fit(label: str, end: str, letters: float, room: int) -> Text:
    """Return a text that is at most `room` pixels wide.

    Its letters shrink to as little as six tenths, but stay readable; then its label is cut, and its `end` is
    kept.
    """
    if letters <= 0 or room <= 0:
        return NONE
    label, end, letters = drawable(label), drawable(end), _size(letters)
    least = max(letters * _SMALLEST, min(letters, _READABLE))
    while (width := _width(label, end, letters)) > room and letters > least:
        letters = max(_size(least), min(letters - _STEP, _size(letters * room / width)))
    whole = label
    while width > room and label:
        # Letters differ in width: the measured width shows roughly how many are too many.
        whole = whole[: max(0, min(len(whole) - 1, len(whole) * room // width))].rstrip()
        label = whole and whole + _CUT
        width = _width(label, end, letters)
    while width > room and letters > 1:  # not even the end fits
        letters = max(1.0, _size(letters * 0.8))
        width = _width(label, end, letters)
    if width > room:
        return NONE
    above, below = _reach(label, letters), _reach(end, letters)
    baseline = max(_above(letters) + math.ceil(letters), above[0], below[0])
    under = max(height(letters) - _above(letters) - math.ceil(letters), above[1], below[1])
    return Text(label, end, letters, width, baseline + under, baseline)


def draw(image: Image, text: Text, left: int, top: int, colour: Colour) -> None:
    """Draw the part of a text that lies on the image; its upper left corner is at (`left`, `top`)."""
    x, y = left + _beside(text.letters), top + text.baseline
    for part in filter(None, (text.label, text.end)):
        drawn = _drawings.get(part, text.letters, colour)
        drawn.paste(image, x, y)
        x += _advance(part, text.letters) + _space(text.letters)


@dataclass(frozen=True, slots=True)
class _Drawing:
    """A text on black, and a mask of the pixels that it and its outline cover.

    Its upper left corner lies at (`left`, `top`) from where the text begins on its line.
    """

    pixels: Image
    mask: Image
    left: int
    top: int

    @property
    def size(self) -> int:
        return self.pixels.nbytes + self.mask.nbytes

    def paste(self, image: Image, x: int, y: int) -> None:
        """Put the part that lies on the image there; the text begins at (x, y)."""
        left, top = x + self.left, y + self.top
        first, above = max(0, left), max(0, top)
        rows, columns = self.mask.shape
        target = image[above : max(0, top + rows), first : max(0, left + columns)]
        if target.size:
            part = (
                slice(above - top, above - top + target.shape[0]),
                slice(first - left, first - left + target.shape[1]),
            )
            cv2.copyTo(self.pixels[part], self.mask[part], target)


class _Drawings:
    """The last texts drawn, up to `most` bytes, because labels seldom change. Not thread-safe."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._bytes = 0
        self._kept = dict[tuple[str, float, Colour], _Drawing]()

    def get(self, text: str, letters: float, colour: Colour) -> _Drawing:
        """Return a drawn text."""
        key = text, letters, colour
        drawn = self._kept.pop(key, None)
        if drawn is None:
            drawn = _drawn(text, letters, colour)
            self._bytes += drawn.size
        self._kept[key] = drawn
        while self._bytes > self._most:
            self._bytes -= self._kept.pop(next(iter(self._kept))).size
        return drawn


_drawings: Final = _Drawings(_MOST_KEPT)


def _drawn(text: str, letters: float, colour: Colour) -> _Drawing:
    edge, (above, below) = _edge(letters), _reach(text, letters)
    covered = np.zeros((above + below, _advance(text, letters) + 2 * _beside(letters)), np.uint8)
    x = float(_beside(letters))
    for used, part, width in fonts.widths(text, _font_size(letters)):
        mask, (right, down) = used.getmask2(part, "L", anchor="ls")
        glyphs = np.frombuffer(bytes(mask), np.uint8).reshape(mask.size[1], mask.size[0])
        _add(covered, glyphs, round(x) + right, above + down)
        x += width
    # Letters on black: a pixel that a letter covers by half is half as bright.
    pixels = cv2.merge([cv2.convertScaleAbs(covered, alpha=part / 255) for part in colour])
    grown = cv2.dilate(covered, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * edge + 1, 2 * edge + 1)))
    _, mask = cv2.threshold(grown, _COVERED, 255, cv2.THRESH_BINARY)
    return _Drawing(pixels, mask, -_beside(letters), -above)  # type: ignore[arg-type]  # no element type


def _add(covered: Image, glyphs: Image, left: int, top: int) -> None:
    """Add glyphs to what is covered, as far as they lie within it."""
    x, y = max(0, left), max(0, top)
    target = covered[y : max(0, top + glyphs.shape[0]), x : max(0, left + glyphs.shape[1])]
    part = glyphs[y - top : y - top + target.shape[0], x - left : x - left + target.shape[1]]
    np.maximum(target, part, out=target)


def _width(label: str, end: str, letters: float) -> int:
    between = _space(letters) if label and end else 0
    return _advance(label, letters) + between + _advance(end, letters) + 2 * _beside(letters)


@lru_cache(maxsize=1024)
def _advance(text: str, letters: float) -> int:
    return math.ceil(sum(width for *_, width in fonts.widths(text, _font_size(letters))))


@lru_cache(maxsize=1024)
def _reach(text: str, letters: float) -> tuple[int, int]:
    """Return how many rows a text and its outline take above its line, and below."""
    boxes = [
        used.getbbox(part, anchor="ls") for used, part, _ in fonts.widths(text, _font_size(letters))
    ] or [(0, 0, 0, 0)]
    edge = _edge(letters) + 1
    return math.ceil(max(-box[1] for box in boxes)) + edge, math.ceil(max(box[3] for box in boxes)) + edge


def _size(letters: float) -> float:
    """Return one of the sizes that letters have, at most the given one."""
    return max(_STEP, math.floor(letters / _STEP) * _STEP)


def _font_size(letters: float) -> float:
    return letters / fonts.CAPITAL


def _space(letters: float) -> int:
    return max(1, round(letters * _SPACE))


def _edge(letters: float) -> int:
    """Return the width of the outline."""
    return max(1, round(letters / 9))


def _beside(letters: float) -> int:
    # Some letters reach a little beyond their advance.
    return _edge(letters) + max(1, round(letters / 8))


def _above(letters: float) -> int:
    return _edge(letters) + max(1, round(letters / 8))


def _is_joiner(letter: str) -> bool:
    return letter in "\u200c\u200d"  # they shape Persian and Indic words
