import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire.predictions import Prediction, Result, as_json, from_json

boxes = st.tuples(st.integers(), st.integers(), st.integers(), st.integers())
results = st.builds(
    Result,
    label=st.text(),
    score=st.integers(0, 10_000).map(lambda n: n / 10_000),
    box=st.none() | boxes,
)
predictions = st.builds(
    Prediction,
    model=st.text(),
    results=st.lists(results, max_size=5).map(tuple),
    seq=st.none() | st.integers(0),
    age_ms=st.none() | st.integers(0),
)


@given(st.lists(predictions, max_size=4).map(tuple))
def test_predictions_come_back_as_they_were_sent(said: tuple[Prediction, ...]) -> None:
    assert from_json(json.dumps(as_json(said)).encode()) == said


def test_the_json_is_the_documented_one() -> None:
    said = [Prediction("imagenet_1", (Result("cat", 0.93, (1, 2, 3, 4)), Result("dog", 0.05)), 17, 41)]

    assert as_json(said) == [
        {
            "model": "imagenet_1",
            "results": [
                {"label": "cat", "score": 0.93, "box": [1, 2, 3, 4]},
                {"label": "dog", "score": 0.05},
            ],
            "seq": 17,
            "age_ms": 41,
        }
    ]


def test_a_score_is_written_with_four_digits() -> None:
    (written,) = as_json([Prediction("m", (Result("cat", 2 / 3),))])

    assert written["results"] == [{"label": "cat", "score": 0.6667}]


def test_a_model_without_an_answer_is_written_and_read() -> None:
    text = json.dumps(as_json([Prediction("m")])).encode()

    assert json.loads(text) == [{"model": "m", "results": [], "seq": None, "age_ms": None}]
    assert from_json(text) == (Prediction("m"),)


@pytest.mark.parametrize("score", [float("nan"), float("inf"), float("-inf"), "much", None, [], 10**400])
def test_a_score_that_is_no_number_is_refused(score: Any) -> None:
    said = [{"model": "m", "results": [{"label": "cat", "score": score}], "seq": 1, "age_ms": 2}]

    with pytest.raises(ValueError):  # noqa: PT011
        from_json(json.dumps(said).encode())
