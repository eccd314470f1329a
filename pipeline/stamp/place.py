"""The places of captions on a picture."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from pipeline.stamp import lettering
from pipeline.stamp.captions import COLOURS, Caption
from pipeline.stamp.marks import Mark, Outline, TextMark
from pipeline.wire.predictions import Box

_AT_BOX: Final = 0.8  # the size of the letters at a box, relative to those in the corner
_LEAST: Final = 8  # pixels; the height of a letter


def place_captions(captions: Sequence[Caption], width: int, height: int) -> Sequence[Mark]:
    """Return the marks that show captions on a picture of that size, in the order in which to draw them.

    Captions without a box become lines in the upper left corner. The others become an outline and a label.
    Texts never cover each other; those that have no room are counted in a text of their own, such as `+3`.
    Capital letters take a 26th of the height (in a flat picture, a 56th of the width), those at a box eight
    tenths of that, and less where a line would not fit.
    """
    return _placed(tuple(captions), width, height)


@lru_cache(maxsize=64)  # most frames have the captions of the one before
def _placed(captions: tuple[Caption, ...], width: int, height: int) -> tuple[Mark, ...]:
    outlines: list[Mark] = []
    corner = [caption for caption in captions if caption.box is None]
    texts = _corner(corner, width, height)
    left_out = len(corner) - len(texts)
    for caption in captions:
        box = caption.box and _clip(caption.box, width, height)
        if box:
            outlines.append(Outline(box, _edge(height), caption.colour))
            label = _label(box, caption, width, height, texts)
            if label:
                texts.append(label)
            else:
                left_out += 1
    return (*outlines, *(_counted(texts, left_out, width, height) if left_out else texts))


def _corner(captions: Sequence[Caption], width: int, height: int) -> list[TextMark]:
    margin = max(4, height // 60) if width > 16 else 0
    letters = _letters(width, height)
    lines: list[TextMark] = []
    top = margin // 2
    for caption in captions:
        text = lettering.fit(caption.label, caption.end, letters, width - margin)
        if top + text.height > height:
            break
        if text.height:
            lines.append(TextMark(text, margin // 2, top, caption.colour))
        top += text.height
    return lines


def _label(box: Box, caption: Caption, width: int, height: int, taken: Sequence[TextMark]) -> TextMark | None:
    """Return a box's label where it covers no text: above the box, inside, below or beside it; else None."""
    text = lettering.fit(caption.label, caption.end, _letters_at_box(width, height), width)
    left, top, thin = box[0], box[1], _edge(height)
    right, bottom = left + box[2], top + box[3]
    rows = (top - text.height, top + thin, bottom - thin - text.height, bottom)
    columns = (min(left, width - text.width), max(0, right - text.width))
    places = [
        *((column, row) for column in columns for row in rows),
        *((column, row) for column in (right + thin, left - thin - text.width) for row in rows[1:3]),
    ]
    return _free((TextMark(text, *place, caption.colour) for place in places), width, height, taken)


def _counted(texts: list[TextMark], left_out: int, width: int, height: int) -> list[TextMark]:
    """Return the texts, and how many were left out, in a corner; others make room where there is none."""
    while True:
        text = lettering.fit("", f"+{left_out}", _letters_at_box(width, height), width)
        right, bottom = width - text.width, height - text.height
        below = max((mark.top + mark.text.height for mark in texts if mark.left <= width // 60), default=0)
        places = [(right, bottom), (0, bottom), (right, 0), (0, below)]
        mark = _free((TextMark(text, *place, COLOURS[0]) for place in places), width, height, texts)
        if mark or not texts:
            return [*texts, mark] if mark else texts
        texts = texts[:-1]
        left_out += 1


def _free(marks: Iterable[TextMark], width: int, height: int, taken: Sequence[TextMark]) -> TextMark | None:
    """Return the first of some marks that is within the picture and covers no other text."""
    for mark in marks:
        text = mark.text
        within = 0 <= mark.left <= width - text.width and 0 <= mark.top <= height - text.height
        if text.height and within and not any(_overlap(mark, other) for other in taken):
            return mark
    return None


def _clip(box: Box, width: int, height: int) -> Box | None:
    """Return the part of a box that lies within a picture of that size, or None."""
    left, top = max(0, box[0]), max(0, box[1])
    right, bottom = min(width, box[0] + box[2]), min(height, box[1] + box[3])
    return (left, top, right - left, bottom - top) if right > left and bottom > top else None


def _edge(height: int) -> int:
    """Return the thickness of a box's edge on a picture of that height, in pixels."""
    return max(1, round(height / 360))


def _letters_at_box(width: int, height: int) -> float:
    """Return the height of a capital letter of a label."""
    letters = _letters(width, height)
    return max(letters * _AT_BOX, min(letters, _LEAST))


def _letters(width: int, height: int) -> float:
    """Return the height of a capital letter; 0 where the picture is too small for any line."""
    letters = max(height / 26, width / 56, _LEAST)
    while letters and lettering.height(letters) > height:
        letters = letters * 0.8 if letters > 1 else 0
    return letters


def _overlap(one: TextMark, other: TextMark) -> bool:
    across = one.left < other.left + other.text.width and other.left < one.left + one.text.width
    return across and one.top < other.top + other.text.height and other.top < one.top + one.text.height
