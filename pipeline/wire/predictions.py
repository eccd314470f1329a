"""Predictions of the models about a frame, and their JSON form (header `predictions`, and the API)."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Result:
    """One thing a model saw: its label, its score in 0..1 and, if the model returns one, its box.

    The box is x, y, width, height in pixels of the frame.
    """

    label: str
    score: float
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """A model's last answer as stamped on a frame.

    `seq` is the frame that was classified and `age_ms` how old that frame was when the answer was stamped;
    both are None, and there are no results, while the model has no answer that is recent enough.
    """

    model: str
    results: tuple[Result, ...] = ()
    seq: int | None = None
    age_ms: int | None = None


def as_json(predictions: Sequence[Prediction]) -> list[dict[str, Any]]:
    """Return a form that `json.dumps` accepts."""
    return [
        {
            "model": prediction.model,
            "results": [_result_as_json(result) for result in prediction.results],
            "seq": prediction.seq,
            "age_ms": prediction.age_ms,
        }
        for prediction in predictions
    ]


def _result_as_json(result: Result) -> dict[str, Any]:
    fields: dict[str, Any] = {"label": result.label, "score": round(result.score, 4)}
    if result.box is not None:
        fields["box"] = list(result.box)
    return fields


def from_json(text: bytes) -> tuple[Prediction, ...]:
    """Read the header's JSON; raise ValueError for anything else."""
    try:
        return tuple(
            Prediction(
                model=_text(item["model"]),
                results=tuple(_result_from_json(result) for result in item["results"]),
                seq=None if item["seq"] is None else int(item["seq"]),
                age_ms=None if item["age_ms"] is None else int(item["age_ms"]),
            )
            for item in json.loads(text)
        )
    except (AttributeError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"not the fields of predictions: {error!r}") from None


def _result_from_json(fields: dict[str, Any]) -> Result:
    box = fields.get("box")
    if box is not None:
        x, y, width, height = (int(side) for side in box)
        box = (x, y, width, height)
    score = float(fields["score"])
    if not math.isfinite(score):  # valid in Python's JSON, but not in a browser's
        raise ValueError(f"expected a finite score, found {score}")
    return Result(label=_text(fields["label"]), score=score, box=box)


def _text(value: object) -> str:
    text = str(value)
    text.encode()  # raises ValueError for half a surrogate pair, which JSON can hold but UTF-8 cannot
    return text
