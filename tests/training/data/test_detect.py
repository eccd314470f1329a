"""What samples are, as Kafka-ML's sinks describe them."""

from typing import Any

import numpy as np
import pytest

from training.data import detect, raw


@pytest.mark.parametrize(
    ("sample", "kind", "shape", "data"),
    [
        (np.zeros((28, 28), np.uint8), "uint8", "28 28", bytes(784)),
        (np.float64(1), "float64", "1", bytes.fromhex("000000000000f03f")),
        (np.uint32(258), "uint32", "1", b"\2\1\0\0"),
        (np.array(7, np.uint8), "uint8", "1", b"\7"),
        (np.array([1, 2], ">u2"), "uint16", "2", b"\1\0\2\0"),
        ([1.5, 2], "float64", "2", np.array([1.5, 2]).tobytes()),
        ([[1, 2], [3, 4]], "int64", "2 2", np.array([1, 2, 3, 4]).tobytes()),
        (3, "int64", "1", b"\3" + bytes(7)),
        (2.0, "float64", "1", np.float64(2).tobytes()),
        (True, "bool", "1", b"\1"),
        (np.array([[1, 2], [3, 4]], np.uint8).T, "uint8", "2 2", b"\1\3\2\4"),
        ("é", "string", "1", "é".encode()),
        (np.array("ab"), "<U2", "1", b"a\0\0\0b\0\0\0"),
    ],
    ids=[f"sample-{number}" for number in range(13)],
)
def test_the_first_sample_shows_type_and_shape(sample: Any, kind: str, shape: str, data: bytes) -> None:
    column = detect.detected(sample)

    assert detect.described(column) == (kind, shape)
    assert detect.encoded(column, sample) == data


@pytest.mark.parametrize(
    "sample",
    [None, object(), {"a": 1}, np.datetime64("2020"), np.zeros(2, "i4,i4")],
    ids=lambda sample: type(sample).__name__,
)
def test_other_samples_are_refused(sample: Any) -> None:
    with pytest.raises(ValueError, match="type"):
        detect.detected(sample)


def test_numbers_are_converted_if_that_changes_none() -> None:
    column = raw.column("uint8", "1")

    assert detect.encoded(column, 7) == b"\7"
    assert detect.encoded(column, np.float32(7)) == b"\7"
    for number in (256, -1, 1.5, np.nan):
        with pytest.raises(ValueError, match="that uint8 cannot hold"):
            detect.encoded(column, number)
    assert np.isnan(np.frombuffer(detect.encoded(raw.column("float32", "1"), np.nan), np.float32)).all()


@pytest.mark.parametrize(
    ("shape", "sample", "fits"),
    [
        ("2 3", (2, 3), True),
        ("2 3", (6,), True),
        ("6", (2, 3), True),
        ("2 3", (3, 2), False),
        ("2 3", (5,), False),
        ("", (), True),
        ("", (1,), True),
        ("1", (), True),
        ("1", (2,), False),
        (None, (7,), True),
    ],
    ids=str,
)
def test_shapes_must_fit(shape: str | None, sample: tuple[int, ...], fits: bool) -> None:
    column, array = raw.column("uint8", shape), np.zeros(sample, np.uint8)

    if fits:
        assert detect.encoded(column, array) == array.tobytes()
    else:
        with pytest.raises(ValueError, match="label: shape"):
            detect.encoded(column, array, "label")


def test_bytes_are_sent_as_they_are() -> None:
    assert detect.encoded(raw.column("uint16", "2"), b"\1\2\3\4") == b"\1\2\3\4"
    with pytest.raises(ValueError, match="3 bytes, expected 4"):
        detect.encoded(raw.column("uint16", "2"), b"\1\2\3")


def test_texts_and_numbers_are_not_mixed() -> None:
    with pytest.raises(ValueError, match="expected a text, found int"):
        detect.encoded(raw.column("string", "1"), 7)
    with pytest.raises(ValueError, match="float32"):
        detect.encoded(raw.column("float32", "1"), "seven")


def test_rows_of_objects_are_converted() -> None:
    """As of a table with columns of several types."""
    column = raw.column("float32", "2")

    assert detect.encoded(column, np.array([1, 2.5], object)) == np.array([1, 2.5], np.float32).tobytes()
    for row in ([1, "cat"], [1, [2]], [1, 2**2000]):
        with pytest.raises(ValueError, match="data: expected float32, found an array of objects"):
            detect.encoded(column, np.array(row, object))
