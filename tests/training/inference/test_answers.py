import json
from typing import Any

import numpy as np
import pytest

from tests.training.inference.fakes import FakeMessage
from training.inference.answers import answers, is_valid, value


def test_an_answer_has_the_key_and_the_headers_of_its_question() -> None:
    question: Any = FakeMessage(0, b"x", b"key", [("camera", b"door"), ("seq", b"7")])
    bare: Any = FakeMessage(1, b"y")

    first, second = answers([question, bare], np.array([[0.25, 0.75], [1, 0]], np.float32))

    assert (first.key, first.headers) == (b"key", [("camera", b"door"), ("seq", b"7")])
    assert (second.key, second.headers) == (None, [])
    assert first.value == b'{"values": [0.25,0.75]}'
    assert json.loads(second.value) == {"values": [1.0, 0.0]}


def test_a_single_number_is_a_list_of_one() -> None:
    question: Any = FakeMessage(0, b"x")

    (answer,) = answers([question], np.array([2.5], np.float64))

    assert json.loads(answer.value) == {"values": [2.5]}


def test_json_has_no_nan() -> None:
    assert json.loads(value([float("nan"), float("-inf"), 1.5])) == {"values": [None, None, 1.5]}


@pytest.mark.parametrize(
    ("found", "valid"),
    [
        (np.zeros((2, 3)), True),
        (np.zeros(2, bool), True),
        (np.zeros((3, 2)), False),
        (np.float64(1), False),
        (np.zeros(2, complex), False),
        (np.zeros(2, "S3"), False),
    ],
)
def test_predictions_are_numbers_one_row_each(found: Any, valid: bool) -> None:
    assert is_valid(np.asarray(found), 2) == valid
