"""Format JPEG: pictures, scaled, and the numbers of labels."""

import cv2
import numpy as np
import pytest

from pipeline.wire import picture
from training.data import pictures

LABELS = ["cat", "dog"]


def jpeg(height: int, width: int, colour: tuple[int, int, int] = (250, 20, 10)) -> bytes:
    """A picture of one colour: blue, green, red."""
    return picture.encode(np.full((height, width, 3), colour, np.uint8), 95)


@pytest.mark.parametrize("size", [(8, 16), (48, 64), (100, 20)], ids=str)
def test_pictures_are_scaled_to_one_size(size: tuple[int, int]) -> None:
    column, _ = pictures.columns(LABELS, list(size))

    rows = column.decode([jpeg(48, 64), jpeg(8, 16)])

    assert rows.shape == (2, *size, 3)
    assert rows.dtype == np.uint8
    assert np.abs(rows.astype(int) - (10, 20, 250)).max() < 8, "red, green, blue"


def test_grey_pictures_have_three_colours() -> None:
    column, _ = pictures.columns(LABELS, [16, 16])
    grey = cv2.imencode(".jpg", np.full((16, 16), 77, np.uint8))[1].tobytes()

    assert np.abs(column.decode([grey]).astype(int) - 77).max() < 3


@pytest.mark.parametrize(
    "value", [b"", b"\xff\xd8", b"PNG", jpeg(16, 16)[:-20]], ids=["no", "head", "png", "cut"]
)
def test_other_values_are_refused(value: bytes) -> None:
    column, _ = pictures.columns(LABELS, [16, 16])

    with pytest.raises(ValueError, match="JPEG"):
        column.decode([jpeg(16, 16), value])


def test_labels_are_numbers_of_any_width() -> None:
    _, labels = pictures.columns([str(number) for number in range(300)], [8, 8])

    assert labels.decode([b"\1", b"\0\0\0\1", b"\1\x2b", bytes(20)]).tolist() == [1, 1, 299, 0]
    assert labels.encode(299) == b"\1\x2b"
    assert labels.encode("0") == b"\0"


@pytest.mark.parametrize("key", [b"\2", b"\1" * 20, b"\1" + bytes(8)], ids=str)
def test_other_numbers_are_refused(key: bytes) -> None:
    _, labels = pictures.columns(LABELS, [8, 8])

    with pytest.raises(ValueError, match="expected a number from 0 to 1"):
        labels.decode([key])


@pytest.mark.parametrize("label", ["cow", 2, -1], ids=str)
def test_other_labels_are_not_sent(label: str | int) -> None:
    _, labels = pictures.columns(LABELS, [8, 8])

    with pytest.raises(ValueError, match="label"):
        labels.encode(label)


@pytest.mark.parametrize(
    ("labels", "size"),
    [
        (LABELS, None),
        (LABELS, [8]),
        (LABELS, [8, 0]),
        (LABELS, [8, "8"]),
        (LABELS, [True, 8]),
        (LABELS, [8, 70_000]),
        ([], [8, 8]),
        (None, [8, 8]),
        ([1], [8, 8]),
    ],
    ids=str,
)
def test_other_configurations_are_refused(labels: object, size: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        pictures.columns(labels, size)
