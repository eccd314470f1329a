"""The sizes of tensors in messages, which are checked before anything is allocated."""

from typing import Final

LARGEST_FILLED: Final = 32 << 20
"""Bytes of a tensor that a few bytes declare: one that is filled up with copies of its last element."""

MOST_ELEMENTS: Final = 1 << 25
"""The product of a shape's sizes other than 0: a graph may turn an empty tensor into one of these sizes."""

MOST_STRINGS: Final = 100_000
MOST_DIMENSIONS: Final = 64  # NumPy's limit; TensorFlow's is 254
