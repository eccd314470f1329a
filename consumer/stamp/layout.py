"""Where texts stand on an image."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from consumer.stamp import lettering
from consumer.stamp.lettering import Colour, Text
from consumer.stamp.tiles import Area
from pipeline.wire.picture import Image
from pipeline.wire.predictions import Box

_AT_BOX: Final = 0.8  # the letters at a box, beside those in the corner
_LEAST: Final = 8  # pixels of a letter


@dataclass(frozen=True, slots=True)
class Line:
    """A line in the corner, its label and what follows it."""

    label: str
    end: str
    colour: Colour


@dataclass(frozen=True, slots=True)
class Placed:
    """A text and where the left upper corner of its rectangle is, in pixels."""

    text: Text
    left: int
    top: int
    colour: Colour

    def areas(self) -> Iterable[Area]:
        """Return the text's rectangle."""
        yield Area(self.left, self.top, self.left + self.text.width, self.top + self.text.height)

    def draw(self, image: Image, left: int, top: int) -> None:
        """Draw it on an image whose upper left corner is `left` and `top` pixels within the picture."""
        lettering.draw(image, self.text, self.left - left, self.top - top, self.colour)


def corner(texts: Sequence[Line], width: int, height: int) -> list[Placed]:
    """Return where lines stand on an image of that size; those for which there is no room are left out."""
    margin = max(4, height // 60) if width > 16 else 0
    letters = _letters(width, height)
    pitch = lettering.height(letters)
    placed = []
    for number, line in enumerate(texts):
        top = margin // 2 + number * pitch
        if top + pitch > height:
            break
        text = lettering.fit(line.label, line.end, letters, width - margin)
        placed.append(Placed(text, margin // 2, top, line.colour))
    return placed


def beside(box: Box, line: Line, width: int, height: int, taken: Sequence[Placed] = ()) -> Placed:
    """Return where a box's label stands: above it, else within it, else below it.

    What is `taken` by other texts is avoided where it can be; the image is never left.
    """
    text = lettering.fit(line.label, line.end, _letters(width, height) * _AT_BOX, width)
    top, bottom, thin = box[1], box[1] + box[3], edge(height)
    places = [
        Placed(text, min(box[0], width - text.width), place, line.colour)
        for place in (top - text.height, top + thin, bottom - thin - text.height, bottom)
        if 0 <= place <= height - text.height
    ]
    free = (place for place in places if not any(_meet(place, other) for other in taken))
    return next(free, places[0]) if places else Placed(lettering.NONE, 0, 0, line.colour)


def clip(box: Box, width: int, height: int) -> Box | None:
    """Return the part of a box that is within an image of that size, or None."""
    left, top = max(0, box[0]), max(0, box[1])
    right, bottom = min(width, box[0] + box[2]), min(height, box[1] + box[3])
    return (left, top, right - left, bottom - top) if right > left and bottom > top else None


def edge(height: int) -> int:
    """Return the thickness of a box's edge on an image of that height, in pixels."""
    return max(1, round(height / 360))


def _letters(width: int, height: int) -> float:
    """Return the height of a capital letter; 0 where the image is too small for a line of any."""
    letters = max(height / 26, width / 56, _LEAST)
    while letters and lettering.height(letters) > height:
        letters = letters * 0.8 if letters > 1 else 0
    return letters


def _meet(one: Placed, other: Placed) -> bool:
    across = one.left < other.left + other.text.width and other.left < one.left + one.text.width
    return across and one.top < other.top + other.text.height and other.top < one.top + one.text.height
