"""What is asked of an ImageNet classifier, and what its answers mean."""

import base64
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consumer.handlers import HANDLERS
from consumer.handlers.imagenet import Imagenet
from pipeline.predictions import Result
from tests.consumer.fakes import PROPERTY, a_frame

LABELS = ("tench", "goldfish", "shark")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
NEARLY = st.fixed_dictionaries(
    {
        "predictions": st.lists(
            st.fixed_dictionaries(
                {"classes": JSON | st.integers(-4, 4), "probabilities": JSON | st.lists(JSON, max_size=4)}
            ),
            max_size=2,
        )
    }
)


def answer(classes: Any, probabilities: Any) -> bytes:
    """Return a model server's answer about one picture."""
    return json.dumps({"predictions": [{"classes": classes, "probabilities": probabilities}]}).encode()


@PROPERTY
@given(jpeg=st.binary(max_size=300))
def test_the_jpeg_travels_byte_for_byte(jpeg: bytes) -> None:
    body = json.loads(Imagenet(LABELS).request(a_frame(jpeg=jpeg)))

    ((instance,),) = body.values()
    assert list(body) == ["instances"]
    assert list(instance) == ["image_bytes"]
    assert list(instance["image_bytes"]) == ["b64"]
    assert base64.b64decode(instance["image_bytes"]["b64"], validate=True) == jpeg


@pytest.mark.parametrize(("number", "label"), [(1, "tench"), (2, "goldfish"), (3, "shark")])
def test_the_label_of_a_class_is_the_one_before_it(number: int, label: str) -> None:
    probabilities = [0.01, 0.02, 0.03, 0.04]
    probabilities[number] = 0.93

    results = Imagenet(LABELS).results(answer(number, probabilities))

    assert results == (Result(label, 0.93),)


def test_the_background_is_no_result() -> None:
    assert Imagenet(LABELS).results(answer(0, [0.9, 0.1, 0, 0])) == ()


def test_only_the_first_of_several_answers_counts() -> None:
    body = {
        "predictions": [
            {"classes": 2, "probabilities": [0, 0, 1, 0]},
            {"classes": 3, "probabilities": [0, 0, 0, 1]},
        ]
    }

    assert Imagenet(LABELS).results(json.dumps(body).encode()) == (Result("goldfish", 1.0),)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"\xff",
        b"null",
        b"[]",
        b"{}",
        b'{"error": "no such model"}',
        b'{"predictions": []}',
        b'{"predictions": [{"classes": 1}]}',
        b'{"predictions": [[0.1, 0.9]]}',
        b"[" * 99_999,
        answer(4, [0, 0, 0, 0, 1]),
        answer(-1, [0, 0, 0, 1]),
        answer(1, [0, 1.5]),
        answer(1, [0, float("nan")]),
        answer(1, [0, 10**400]),
        answer(10**400, [0, 1]),
        answer(1.0, [0, 1]),
        answer("a", {"a": 0.5}),
        answer(1, [0]),
        answer(1, 0.9),
    ],
)
def test_nonsense_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        Imagenet(LABELS).results(body)


@PROPERTY
@given(body=st.binary(max_size=50) | (JSON | NEARLY).map(lambda value: json.dumps(value).encode()))
@example(answer("a", {"a": 0.5}))
def test_any_answer_gives_results_or_a_value_error(body: bytes) -> None:
    try:
        results = Imagenet(LABELS).results(body)
    except ValueError:
        return

    assert len(results) <= 1
    assert all(result.label in LABELS and 0 <= result.score <= 1 for result in results)


def test_imagenet_models_are_handled_by_it() -> None:
    assert HANDLERS["imagenet"] is Imagenet
