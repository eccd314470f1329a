from typing import Any

import numpy as np
import pytest

from tests.training.inference.fakes import FakeMessage, messages
from training.inference import batch
from training.inference.batch import Bad, Batch, batches
from training.inference.formats import column

BYTES = column("RAW", {"data_type": "uint8", "data_reshape": "2"})
FLOATS = column("RAW", {"data_type": "float32", "data_reshape": "2"})
ANY = column("RAW", {"data_type": "uint8", "data_reshape": None})


def split(sent: list[Any], given: Any = BYTES) -> tuple[list[list[Any]], list[str]]:
    """Return the rows of each batch, and the reasons of the bad messages."""
    found = list(batches(sent, given))
    return (
        [part.rows.tolist() for part in found if isinstance(part, Batch)],
        [part.reason for part in found if isinstance(part, Bad)],
    )


def test_messages_become_one_batch() -> None:
    assert split(messages(b"\1\2", b"\3\4")) == ([[[1, 2], [3, 4]]], [])


def test_those_that_do_not_fit_are_left_out() -> None:
    rows, reasons = split(messages(b"\1\2", b"\1", None, b"\3\4"))

    assert rows == [[[1, 2], [3, 4]]]
    assert reasons == ["no value", "1 bytes, expected 2: uint8 of shape 2"]


def test_a_message_alone_that_does_not_fit() -> None:
    assert split(messages(b"\1")) == ([], ["1 bytes, expected 2: uint8 of shape 2"])
    assert split([]) == ([], [])


def test_numbers_that_are_not_finite_are_left_out() -> None:
    good, bad, other = (np.array([1, value], np.float32).tobytes() for value in (2, np.nan, np.inf))

    assert split(messages(good, bad, other), FLOATS) == (
        [[[1, 2]]],
        ["nan, expected numbers", "inf, expected numbers"],
    )
    assert split(messages(bad), FLOATS) == ([], ["nan, expected numbers"])


def test_messages_of_different_shapes_are_different_batches() -> None:
    rows, reasons = split(messages(b"\1\2", b"\3", b"", b"\4\5"), ANY)

    assert rows == [[[1, 2], [4, 5]], [[3]]]
    assert reasons == ["0 bytes, expected a multiple of 1: uint8 of shape -1"]


def test_large_rows_are_decoded_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "_BYTES", 5)

    rows, _ = split(messages(b"\1\2", b"\3\4", b"\5\6"))

    assert rows == [[[1, 2], [3, 4]], [[5, 6]]]


def test_halves() -> None:
    (whole,) = batches(messages(b"\1\2", b"\3\4", b"\5\6"), BYTES)
    assert isinstance(whole, Batch)

    first, second = whole.halves()

    assert (first.values, second.values) == ([b"\1\2"], [b"\3\4", b"\5\6"])
    assert second.rows.tolist() == [[3, 4], [5, 6]]


def test_a_bad_message_is_named() -> None:
    message: Any = FakeMessage(7, None, partition=2)

    assert str(Bad(message, "value", "no value")) == ("topic in, partition 2, offset 7: no value; skipped")
