"""Draws what the models said onto a frame."""

import unicodedata
from collections.abc import Sequence
from typing import Final

import cv2

from pipeline.picture import Image
from pipeline.predictions import Prediction

NOTHING: Final = "Nothing"
"""What stands on a frame about which there is no answer, as in the original."""

_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_FONT_HEIGHT: Final = 22  # pixels of a capital letter at scale 1
_WHITE: Final = (255, 255, 255)
_BLACK: Final = (0, 0, 0)


def lines(predictions: Sequence[Prediction]) -> list[str]:
    """Return a line for each result of each model, in order: `mountain bike 93% 41 ms`."""
    texts = []
    for prediction in predictions:
        age = _age(prediction.age_ms or 0)
        texts += [f"{result.label} {result.score:.0%} {age}" for result in prediction.results] or [NOTHING]
    return texts or [NOTHING]


def stamp(image: Image, texts: Sequence[str]) -> None:
    """Draw lines of text under each other into the upper left corner, white with a black outline.

    The letters take a 26th of the image's height (of a flat one a 56th of its width), and less where a line
    would not fit.
    """
    height, width = image.shape[:2]
    scale = max(height / 26, width / 56, 8) / _FONT_HEIGHT
    margin = max(4, height // 60)
    for number, text in enumerate(map(_ascii, texts), start=1):
        (length, _), _ = cv2.getTextSize(text, _FONT, scale, 1)
        fitting = scale * min(1, max(0, width - 2 * margin) / max(1, length))
        place = (margin, round((2 * number - 0.4) * _FONT_HEIGHT * scale) + margin // 2)
        thin = max(1, round(scale * 2))
        cv2.putText(image, text, place, _FONT, fitting, _BLACK, thin * 3, cv2.LINE_AA)
        cv2.putText(image, text, place, _FONT, fitting, _WHITE, thin, cv2.LINE_AA)


def _age(milliseconds: int) -> str:
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def _ascii(text: str) -> str:
    # OpenCV's letters are ASCII: `crème brûlée` loses its accents rather than whole letters.
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return plain or "?"
