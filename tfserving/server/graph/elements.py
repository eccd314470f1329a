"""The strings in serialized Examples and SequenceExamples, found without parsing them.

TensorFlow has several parsers for these messages, which differ where a field comes twice or is not encoded as
usual. What any of them takes for an element of a bytes_list is found here; the fields are those of
https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/example/example.proto.
"""

from collections.abc import Iterable, Iterator
from typing import Final

# The numbers of the fields within each other, down to the elements.
_PATHS: Final = (
    (1, 1, 2, 1, 1),  # features or context, feature, its value, bytes_list, value
    (2, 1, 2, 1, 1, 1),  # feature_lists, feature_list, its value, feature, bytes_list, value
)
_UINT32: Final = 0xFFFFFFFF
"""TensorFlow reads tags and lengths as numbers of 32 bits, and ignores further ones."""


def elements(examples: Iterable[bytes], most: int) -> Iterator[bytes]:
    """Yield all strings of messages, and perhaps others.

    Raises ValueError if they have more than `most` fields.
    """
    for data in examples:
        messages: list[tuple[int, int, tuple[int, ...]]] = [(0, len(data), path) for path in _PATHS]
        while messages:
            at, end, path = messages.pop()
            while at < end:
                most -= 1
                if most < 0:
                    raise ValueError("too many fields in serialized Examples with pictures")
                tag, at = _number(data, at, end)
                wire = tag & 7
                if wire == 2:
                    length, at = _number(data, at, end)
                    begin, at = at, min(at + length, end)
                    if tag >> 3 == path[0] and path[1:]:
                        messages.append((begin, at, path[1:]))
                    elif tag >> 3 == path[0]:
                        yield data[begin:at]
                elif wire == 0:
                    _, at = _number(data, at, end)
                elif wire in (1, 5):
                    at += 8 if wire == 1 else 4
                elif wire > 5:  # no parser accepts it
                    break
                # The beginning and the end of a group are without content of their own.


def _number(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Return the number of variable length at an offset, and the offset after it."""
    number = shift = 0
    while at < end:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80 or shift >= 70:
            break
    return number & _UINT32, at
