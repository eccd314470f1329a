"""The places of captions on a picture."""

from collections.abc import Sequence
from typing import Final

from consumer.stamp import lettering
from consumer.stamp.captions import Caption
from consumer.stamp.marks import Mark, Outline, TextMark
from pipeline.wire.predictions import Box

_AT_BOX: Final = 0.8  # the size of the letters at a box, relative to those in the corner
_LEAST: Final = 8  # pixels; the height of a letter


def place_captions(captions: Sequence[Caption], width: int, height: int) -> list[Mark]:
    """Return the marks that show captions on a picture of that size, in the order in which to draw them.

    Captions without a box become lines in the upper left corner, as many as fit. The others become an outline
    and a label. Capital letters take a 26th of the height (in a flat picture, a 56th of the width), those at
    a box eight tenths of that, and less where a line would not fit.
    """
    outlines: list[Mark] = []
    texts = _corner([caption for caption in captions if caption.box is None], width, height)
    for caption in captions:
        box = caption.box and _clip(caption.box, width, height)
        if box:
            outlines.append(Outline(box, _edge(height), caption.colour))
            texts.append(_label(box, caption, width, height, texts))
    return [*outlines, *(mark for mark in texts if mark.text.height)]


def _corner(captions: Sequence[Caption], width: int, height: int) -> list[TextMark]:
    margin = max(4, height // 60) if width > 16 else 0
    letters = _letters(width, height)
    pitch = lettering.height(letters)
    lines = []
    for number, caption in enumerate(captions):
        top = margin // 2 + number * pitch
        if top + pitch > height:
            break
        text = lettering.fit(caption.label, caption.end, letters, width - margin)
        lines.append(TextMark(text, margin // 2, top, caption.colour))
    return lines


def _label(box: Box, caption: Caption, width: int, height: int, taken: Sequence[TextMark]) -> TextMark:
    """Return a box's label: above the box, otherwise inside or below it; empty where it does not fit.

    It avoids the texts that have `taken` their places where it can.
    """
    text = lettering.fit(caption.label, caption.end, _letters(width, height) * _AT_BOX, width)
    top, bottom, thin = box[1], box[1] + box[3], _edge(height)
    places = [
        TextMark(text, min(box[0], width - text.width), place, caption.colour)
        for place in (top - text.height, top + thin, bottom - thin - text.height, bottom)
        if 0 <= place <= height - text.height
    ]
    free = (place for place in places if not any(_overlap(place, other) for other in taken))
    return next(free, places[0]) if places else TextMark(lettering.NONE, 0, 0, caption.colour)


def _clip(box: Box, width: int, height: int) -> Box | None:
    """Return the part of a box that lies within a picture of that size, or None."""
    left, top = max(0, box[0]), max(0, box[1])
    right, bottom = min(width, box[0] + box[2]), min(height, box[1] + box[3])
    return (left, top, right - left, bottom - top) if right > left and bottom > top else None


def _edge(height: int) -> int:
    """Return the thickness of a box's edge on a picture of that height, in pixels."""
    return max(1, round(height / 360))


def _letters(width: int, height: int) -> float:
    """Return the height of a capital letter; 0 where the picture is too small for any line."""
    letters = max(height / 26, width / 56, _LEAST)
    while letters and lettering.height(letters) > height:
        letters = letters * 0.8 if letters > 1 else 0
    return letters


def _overlap(one: TextMark, other: TextMark) -> bool:
    across = one.left < other.left + other.text.width and other.left < one.left + one.text.width
    return across and one.top < other.top + other.text.height and other.top < one.top + one.text.height
