"""Marks: texts and outlines that draw themselves on a picture."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import cv2

from pipeline.stamp import lettering
from pipeline.stamp.lettering import Colour, Text
from pipeline.wire.picture import Image
from pipeline.wire.predictions import Box

_BLACK: Final = (0, 0, 0)


class Area(NamedTuple):
    """A rectangle that includes column `left` and row `top`, but not column `right` and row `bottom`."""

    left: int
    top: int
    right: int
    bottom: int


class Mark(Protocol):
    """Something drawn on a picture."""

    def areas(self) -> Iterable[Area]:
        """Return the areas that it covers, in pixels; they may reach beyond the picture."""

    def draw(self, image: Image, left: int, top: int) -> None:
        """Draw it on a part of the picture, whose upper left corner is at (`left`, `top`)."""


@dataclass(frozen=True, slots=True)
class TextMark:
    """A text whose rectangle has its upper left corner at (`left`, `top`)."""

    text: Text
    left: int
    top: int
    colour: Colour

    def areas(self) -> Iterable[Area]:
        """Return the text's rectangle."""
        yield Area(self.left, self.top, self.left + self.text.width, self.top + self.text.height)

    def draw(self, image: Image, left: int, top: int) -> None:
        """Draw it on a part of the picture, whose upper left corner is at (`left`, `top`)."""
        lettering.draw(image, self.text, self.left - left, self.top - top, self.colour)


@dataclass(frozen=True, slots=True)
class Outline:
    """The edges of a box, `thin` pixels wide, with as much black on either side."""

    box: Box
    thin: int
    colour: Colour

    def areas(self) -> Iterable[Area]:
        """Return the areas of its four edges."""
        reach = self.thin * 3 // 2 + 1
        left, top, width, height = self.box
        right, bottom = left + width - 1, top + height - 1
        for y in top, bottom:
            yield Area(left - reach, y - reach, right + reach + 1, y + reach + 1)
        for x in left, right:
            yield Area(x - reach, top - reach, x + reach + 1, bottom + reach + 1)

    def draw(self, image: Image, left: int, top: int) -> None:
        """Draw it on a part of the picture, whose upper left corner is at (`left`, `top`)."""
        x, y, width, height = self.box[0] - left, self.box[1] - top, *self.box[2:]
        corners = (x, y), (x + width - 1, y + height - 1)
        cv2.rectangle(image, *corners, _BLACK, self.thin * 3)
        cv2.rectangle(image, *corners, self.colour, self.thin)
