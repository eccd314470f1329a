"""Draws what the models said onto a frame."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import cv2

from consumer.stamp import layout
from consumer.stamp.layout import Line
from consumer.stamp.lettering import Colour
from consumer.stamp.tiles import Area
from pipeline.wire.picture import Image
from pipeline.wire.predictions import Box, Prediction, Result

NOTHING: Final = "Nothing"
"""What stands on a frame about which there is no answer, as in the original."""

COLOURS: Final[Sequence[Colour]] = (
    (255, 255, 255),  # white
    (233, 180, 86),  # sky blue
    (0, 159, 230),  # orange
    (66, 228, 240),  # yellow
    (167, 121, 204),  # purple
    (115, 158, 0),  # green
    (0, 94, 213),  # vermilion
)
"""The models' colours, by their place; those of Okabe and Ito, which the colour-blind can tell apart.

https://jfly.uni-koeln.de/color/
"""

_BLACK: Final = (0, 0, 0)
_STALE: Final = 1000  # ms from which on an answer's age is told


class Mark(Protocol):
    """Something drawn on a picture."""

    def areas(self) -> Iterable[Area]:
        """Return the areas in pixels within which it is drawn; they may reach beyond the picture."""

    def draw(self, image: Image, left: int, top: int) -> None:
        """Draw it on an image whose upper left corner is `left` and `top` pixels within the picture."""


@dataclass(frozen=True, slots=True)
class Outline:
    """The edges of a box, `thin` pixels wide and as much black at either side."""

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
        """Draw it on an image whose upper left corner is `left` and `top` pixels within the picture."""
        x, y, width, height = self.box[0] - left, self.box[1] - top, *self.box[2:]
        corners = (x, y), (x + width - 1, y + height - 1)
        cv2.rectangle(image, *corners, _BLACK, self.thin * 3)
        cv2.rectangle(image, *corners, self.colour, self.thin)


def stamp(image: Image, predictions: Sequence[Prediction]) -> None:
    """Draw the models' answers: boxes with their labels, the others as lines in the upper left corner.

    The letters in the corner take a 26th of the image's height (of a flat one a 56th of its width), those at
    a box eight tenths of that; less where a line would not fit.
    """
    height, width = image.shape[:2]
    for mark in marks(predictions, width, height):
        mark.draw(image, 0, 0)


def marks(predictions: Sequence[Prediction], width: int, height: int) -> list[Mark]:
    """Return what `stamp` draws on an image of that size, in that order."""
    boxes: list[Mark] = []
    placed = list(layout.corner(lines(predictions), width, height))
    for number, prediction in enumerate(predictions):
        colour = _colour(number)
        for result in prediction.results:
            box = result.box and layout.clip(result.box, width, height)
            if box:
                boxes.append(Outline(box, layout.edge(height), colour))
                line = Line(result.label, _end(result, prediction), colour)
                placed.append(layout.beside(box, line, width, height, placed))
    return [*boxes, *(text for text in placed if text.text.height)]


def lines(predictions: Sequence[Prediction]) -> list[Line]:
    """Return the lines in the corner: `mountain bike 93%`, and from a second on its age, `2.3 s old`.

    A model without an answer that is fresh enough has the line `Nothing`. One that has seen nothing has none,
    but where nothing else would stand on the frame, a `Nothing` does.
    """
    texts = []
    for number, prediction in enumerate(predictions):
        if prediction.seq is None and not prediction.results:
            texts.append(Line("", NOTHING, _colour(number)))
        texts += [
            Line(result.label, _end(result, prediction), _colour(number))
            for result in prediction.results
            if result.box is None
        ]
    if texts or any(prediction.results for prediction in predictions):
        return texts
    return [Line("", NOTHING, _colour(0))]


def _end(result: Result, prediction: Prediction) -> str:
    age = prediction.age_ms or 0
    return f"{result.score:.0%}" + (f" {age / 1000:.1f} s old" if age >= _STALE else "")


def _colour(number: int) -> Colour:
    return COLOURS[number % len(COLOURS)]
