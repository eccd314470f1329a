import json
import math
from typing import Any

import pytest
from hypothesis import given

from pipeline.wire.predictions import Prediction, Result, as_json, decode, encode
from tests.pipeline.wire.strategies import predictions


@given(predictions)
def test_predictions_come_back_as_they_were_sent(said: tuple[Prediction, ...]) -> None:
    assert decode(encode(said)) == said


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


def test_how_long_the_model_took_is_written_if_it_is_known() -> None:
    (written,) = as_json([Prediction("m", (), 17, 41, 23)])

    assert written == {"model": "m", "results": [], "seq": 17, "age_ms": 41, "took_ms": 23}


def test_a_score_is_written_with_four_digits() -> None:
    (written,) = as_json([Prediction("m", (Result("cat", 2 / 3),))])

    assert written["results"] == [{"label": "cat", "score": 0.6667}]


def test_a_model_without_an_answer_is_written_and_read() -> None:
    text = json.dumps(as_json([Prediction("m")])).encode()

    assert json.loads(text) == [{"model": "m", "results": [], "seq": None, "age_ms": None}]
    assert decode(text) == (Prediction("m"),)


def header_of(**changed: Any) -> bytes:
    result = {"label": "cat", "score": 0.5, "box": [1, 2, 3, 4]}
    fields = {"model": "m", "results": [result], "seq": 1, "age_ms": 2, "took_ms": 3}
    result.update((name, changed.pop(name)) for name in result.keys() & changed.keys())
    return json.dumps([fields | changed]).encode()


BEYOND: list[tuple[str, list[Any]]] = [
    ("score", [math.nan, math.inf, -0.1, 1.1, 10**400, "much", "1", None, []]),
    ("label", ["\ud800", 7, None, ["x"]]),
    ("model", ["\ud800", 7, None, ["x"]]),
    ("seq", [-1, 2**53, 1e300, math.nan, "1", []]),
    ("age_ms", [-1, 2**53, 1e300, math.nan, "1", []]),
    ("took_ms", [-1, 2**53, 1e300, math.nan, "1", []]),
    ("box", [[1], [0, 0, -1, 1], [0, 0, 1, 1e300], [0, -70_000, 1, 1], "abcd"]),
    ("results", [{"label": "cat"}]),
]


@pytest.mark.exceeds("pipeline.wire.predictions.LONGEST_HEADER")
def test_a_header_has_16_kib_at_most() -> None:
    assert decode(header_of().ljust(16_384))
    with pytest.raises(ValueError, match="16384 bytes at most, found 16385"):
        decode(header_of().ljust(16_385))


@pytest.mark.exceeds("pipeline.wire.predictions.MOST_RESULTS")
@pytest.mark.exceeds("pipeline.wire.predictions.LONGEST_LABEL")
@pytest.mark.parametrize(
    ("name", "most", "more"),
    [
        ("results", [{"label": "cat", "score": 0.5}] * 100, [{"label": "cat", "score": 0.5}] * 101),
        ("label", "x" * 200, "x" * 201),
        ("model", "x" * 200, "x" * 201),
    ],
)
def test_what_reaches_a_limit_is_read_and_what_exceeds_it_is_refused(name: str, most: Any, more: Any) -> None:
    assert decode(header_of(**{name: most}))
    with pytest.raises(ValueError, match="at most, found "):
        decode(header_of(**{name: more}))


@pytest.mark.parametrize(
    "changed",
    [{name: value} for name, values in BEYOND for value in values],
    ids=lambda each: next(iter(each)),
)
def test_anything_beyond_the_limits_is_refused(changed: dict[str, Any]) -> None:
    assert decode(header_of())

    with pytest.raises(ValueError, match=r"^.{1,200}$"):
        decode(header_of(**changed))


@pytest.mark.exceeds("pipeline.wire.predictions.MOST_MODELS")
def test_only_so_many_models_may_say_something() -> None:
    said = [Prediction("m")] * 33

    assert decode(encode(said)) == tuple(said[:32])
    with pytest.raises(ValueError, match="expected 32 models at most, found 33"):
        decode(json.dumps([{"model": "m", "results": [], "seq": None, "age_ms": None}] * 33).encode())


def test_what_is_written_can_be_read_however_much_the_models_found() -> None:
    found = tuple(Result("ü" * 300, 0.5, (1, 2, 3, 4)) for _ in range(500))

    (first, second) = decode(encode([Prediction("a" * 300, found, 1, 2), Prediction("b", found[:1], 1, 2)]))

    assert 0 < len(first.results) < 100
    assert set(first.results) == {Result("ü" * 200, 0.5, (1, 2, 3, 4))}
    assert (len(first.model), len(second.results)) == (200, 1)
