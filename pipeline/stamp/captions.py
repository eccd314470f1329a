"""Captions: the texts that report the models' predictions."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from pipeline.stamp.lettering import Colour
from pipeline.wire.predictions import Box, Prediction

NOTHING: Final = "Nothing"
"""The caption of a frame without an answer, as in the original system."""

COLOURS: Final[Sequence[Colour]] = (
    (255, 255, 255),  # white
    (233, 180, 86),  # sky blue
    (0, 159, 230),  # orange
    (66, 228, 240),  # yellow
    (167, 121, 204),  # purple
    (115, 158, 0),  # green
    (0, 94, 213),  # vermilion
)
"""The models' colours, in the models' order; Okabe and Ito's, which colour-blind people can distinguish.

https://jfly.uni-koeln.de/color/
"""

_STALE: Final = 1000  # ms; an answer as old as this, or older, shows its age


class Caption(NamedTuple):
    """A label, and the score and age that follow it; with its box, or for the corner of the picture."""

    label: str
    end: str
    colour: Colour
    box: Box | None = None


def write_captions(predictions: Sequence[Prediction], only: str | None = None) -> list[Caption]:
    """Return a caption for each result, such as `mountain bike 93%`, with the age of an old one: `2.3 s old`.

    A model without a fresh answer has the caption `Nothing`. A model that found nothing has none; if that
    leaves the frame without any captions, it gets one `Nothing`. With `only`, there are only those of that
    model, in its own colour.
    """
    written = [
        caption
        for number, prediction in enumerate(predictions)
        if only in (None, prediction.model)
        for caption in _write(prediction, COLOURS[number % len(COLOURS)])
    ]
    return written or [Caption("", NOTHING, COLOURS[0])]


def _write(prediction: Prediction, colour: Colour) -> Iterator[Caption]:
    if prediction.seq is None and not prediction.results:
        yield Caption("", NOTHING, colour)
    age = prediction.age_ms or 0
    old = f" {age / 1000:.1f} s old" if age >= _STALE else ""
    for result in prediction.results:
        yield Caption(result.label, f"{result.score:.0%}{old}", colour, result.box)
