"""The memory that pictures in a request need."""

from typing import Any
from unittest import mock

import cv2
import numpy as np
import pytest

from pipeline.wire import jpeg, largest, protobuf
from tfserving.server.errors import ServingError
from tfserving.server.graph import pictures
from tfserving.server.json.values import strings

MOST = 1_000_000  # pixels


def encoded(form: str, width: int = 30, height: int = 20) -> bytes:
    return cv2.imencode(form, np.zeros((height, width, 3), np.uint8))[1].tobytes()


def claiming(width: int, height: int) -> bytes:
    """Return a JPEG whose header claims a size."""
    data = encoded(".jpg")
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + height.to_bytes(2) + width.to_bytes(2) + data[at + 4 :]


@pytest.mark.parametrize("form", [".jpg", ".png"])
def test_a_picture_needs_memory_for_its_pixels_and_for_the_network(form: str) -> None:
    assert pictures.memory([strings([encoded(form)])]) == pictures.PER_PICTURE + 6 * 600


@pytest.mark.parametrize("text", [b"", b"a text", b"\xff", b"\x89PNG\r\n\x1a\n", bytes(100)])
def test_other_strings_need_none(text: bytes) -> None:
    assert pictures.memory([strings([text])]) == 0


def test_pictures_as_numbers_need_memory_for_each_row() -> None:
    tensor: Any = np.zeros((3, 10, 10, 3), np.float32)

    assert pictures.memory([tensor]) == 3 * (1 << 20) + 900 * 4
    assert pictures.memory([np.zeros((1000, 10), np.float32)]) == 0


@pytest.mark.parametrize("data", [claiming(2000, 1000), encoded(".png", 2000, 1000), claiming(0, 0)])
def test_a_picture_of_too_many_pixels_or_none_is_refused(data: bytes) -> None:
    with (
        mock.patch.object(largest, "MOST_PIXELS", MOST),
        pytest.raises(ServingError, match="Invalid picture") as caught,
    ):
        pictures.memory([strings([data])])
    assert "MAXPIXELS" not in str(caught.value), "the setting of other services"


@pytest.mark.parametrize("data", [b"GIF89a" + bytes(20), encoded(".webp"), encoded(".jpg")[:-10]])
def test_a_picture_that_cannot_be_measured_is_refused(data: bytes) -> None:
    with pytest.raises(ServingError, match="Invalid picture"):
        pictures.memory([strings([data])])


@pytest.mark.exceeds("tfserving.server.graph.pictures.LARGEST_RUN")
def test_the_pictures_of_a_large_batch_need_more_than_there_is() -> None:
    tensor = strings([encoded(".jpg")] * 10_000)
    with mock.patch.object(jpeg, "size", side_effect=jpeg.size) as size:
        assert pictures.memory([tensor]) > pictures.LARGEST_RUN

    assert size.call_count < 100


def example(text: bytes) -> bytes:
    """Return a serialized Example with a string."""
    for number in (1, 1, 2, 1, 1):
        length = len(text)
        varint = bytes([length & 0x7F | 0x80, length >> 7 & 0x7F | 0x80, length >> 14])
        text = bytes([number << 3 | 2]) + varint + text
    return text


# A message may begin as a PNG of 1x1 pixels: with fields that every parser skips.
@pytest.mark.parametrize("before", [b"", b"\x89PNG\r\n\x1a\n  \x08\0\x08\0\x08\0\0\0\0\1\0\0\0\1"])
def test_a_picture_in_a_serialized_example_is_measured(before: bytes) -> None:
    small = strings([before + example(encoded(".jpg")), before + example(encoded(".png"))])

    assert pictures.memory([small]) >= 2 * (pictures.PER_PICTURE + 6 * 600)
    for data in claiming(9000, 9000), encoded(".webp"), encoded(".jpg")[:-10]:
        with pytest.raises(ServingError, match="Invalid picture"):
            pictures.memory([strings([before + example(data)])])


def test_an_example_without_pictures_needs_no_memory() -> None:
    assert pictures.memory([strings([example(b"a text"), example(bytes(100))])]) == 0


@pytest.mark.exceeds("pipeline.wire.protobuf.MOST_FIELDS")
def test_the_fields_of_examples_that_may_hold_pictures_are_counted() -> None:
    fields = protobuf.MOST_FIELDS - 1  # and the one before them; each is counted for both kinds of message
    tensor = strings(
        [jpeg.START.join([b"\x7a\x02", b"\x08\x00" * (fields // 2 + extra)]) for extra in (0, 1)]
    )

    assert pictures.memory([tensor[:1]]) == 0
    with pytest.raises(ServingError, match="too many fields"):
        pictures.memory([tensor[1:]])
