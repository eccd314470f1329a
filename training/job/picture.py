"""The picture of a confusion matrix, as Kafka-ML's looks: shares of each row in blue."""

import io
from collections.abc import Sequence
from typing import Final

from PIL import Image, ImageDraw, ImageFont

_SIZE: Final = (2000, 1600)  # pixels
_LEFT, _TOP, _RIGHT, _BOTTOM = 220, 160, 120, 220
_DARK: Final = (8, 48, 107)
_LIGHT: Final = (247, 251, 255)
_INK: Final = (38, 38, 38)
_SMALLEST_TEXT: Final = 9  # pixels


def draw(matrix: Sequence[Sequence[int]]) -> bytes:
    """Return a PNG of a square matrix of counts, with one row per real class."""
    image = Image.new("RGBA", _SIZE)
    drawing = ImageDraw.Draw(image)
    count = len(matrix)
    width, height = _SIZE[0] - _LEFT - _RIGHT, _SIZE[1] - _TOP - _BOTTOM
    for row, numbers in enumerate(matrix):
        total = sum(numbers)
        for column, number in enumerate(numbers):
            share = number / total if total else 0.0
            box = (
                _LEFT + column * width // count,
                _TOP + row * height // count,
                _LEFT + (column + 1) * width // count,
                _TOP + (row + 1) * height // count,
            )
            drawing.rectangle(box, fill=_blue(share))
            _write(drawing, box, f"{share:.2%}", _LIGHT if share > 0.5 else _INK, width // count // 5)
    _label(drawing, count, width, height)
    _titles(image, drawing, width, height)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=False)
    return file.getvalue()


def _blue(share: float) -> tuple[int, int, int]:
    red, green, blue = (
        round(light + (dark - light) * share) for light, dark in zip(_LIGHT, _DARK, strict=True)
    )
    return red, green, blue


def _label(drawing: ImageDraw.ImageDraw, count: int, width: int, height: int) -> None:
    """Write the numbers of the classes: all, or some of many."""
    step = -(-count // 40)
    for number in range(0, count, step):
        x = _LEFT + (2 * number + 1) * width // count // 2
        y = _TOP + (2 * number + 1) * height // count // 2
        drawing.text((x, _TOP + height + 40), str(number), _INK, ImageFont.load_default(28), "mm")
        drawing.text((_LEFT - 20, y), str(number), _INK, ImageFont.load_default(28), "rm")


def _titles(image: Image.Image, drawing: ImageDraw.ImageDraw, width: int, height: int) -> None:
    middle = _LEFT + width // 2
    drawing.text((middle, _TOP // 2), "Confusion Matrix", _INK, ImageFont.load_default(56), "mm")
    bottom = (middle, _TOP + height + 120)
    drawing.text(bottom, "Predicted Values", _INK, ImageFont.load_default(44), "mm")
    side = Image.new("RGBA", (height, 80))
    font = ImageFont.load_default(44)
    ImageDraw.Draw(side).text((height // 2, 40), "Real values", _INK, font, "mm")
    turned = side.transpose(Image.Transpose.ROTATE_90)
    image.alpha_composite(turned, (40, _TOP))


def _write(
    drawing: ImageDraw.ImageDraw,
    box: tuple[int, int, int, int],
    text: str,
    ink: tuple[int, int, int],
    size: int,
) -> None:
    size = min(size, 40)
    if size >= _SMALLEST_TEXT:
        middle = ((box[0] + box[2]) // 2, (box[1] + box[3]) // 2)
        drawing.text(middle, text, ink, ImageFont.load_default(size), "mm")
