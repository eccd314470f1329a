"""Handwritten digits, and a model that learns them.

The file is that of scikit-learn: a line per digit, with 64 pixels from 0 to 16 and the label.
"""

import gzip
import random
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

FILE: Final = Path(__file__).with_name("digits.csv.gz")

CODE: Final = """\
# A small network that tells handwritten digits apart: 8 by 8 pixels, from 0 to 16.
model = keras.Sequential(
    [
        keras.Input((8, 8)),
        keras.layers.Rescaling(1 / 16),
        keras.layers.Reshape((8, 8, 1)),
        keras.layers.Conv2D(16, 3, activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
"""
"""The model's code. `keras` is predefined."""

FORMAT: Final = {"data_type": "uint8", "data_reshape": "8 8"}
"""The part of the stream's RAW configuration that predicting needs."""


class Digit(NamedTuple):
    """A picture of 64 bytes, row by row, and the digit that it shows."""

    pixels: bytes
    label: int


@cache
def digits() -> tuple[Digit, ...]:
    """Return all digits, mixed, always in the same order: the file is sorted by writers."""
    with gzip.open(FILE, "rt", encoding="ascii") as lines:
        rows = [[int(float(number)) for number in line.split(",")] for line in lines]
    found = [Digit(bytes(pixels), label) for *pixels, label in rows]
    random.Random(1).shuffle(found)
    return tuple(found)
