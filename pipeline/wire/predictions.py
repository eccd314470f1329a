"""Predictions of the models about a frame, and their JSON form (header `predictions`, and the API)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pipeline.wire.text import readable

Box = tuple[int, int, int, int]

LONGEST_HEADER: Final = 16_384
"""The greatest size of the header, in bytes: every browser gets its texts with each list of cameras."""

LONGEST_LABEL: Final = 200
"""The greatest length of a label or of a model's name, in characters."""

MOST_MODELS: Final = 32
"""The most models that say something about a frame."""

MOST_RESULTS: Final = 100
"""The most results of one model."""

LARGEST_NUMBER: Final = 2**53 - 1
"""The largest `seq`, `age_ms` or `took_ms`: beyond it, JavaScript skips numbers."""

_FARTHEST: Final = 65_535  # px, the format's largest picture: sides of boxes, which may begin outside of it


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
    both are None, and there are no results, while the model has no answer that is recent enough. `took_ms` is
    how long the model took to answer the request with that frame; None if that is not known.
    """

    model: str
    results: tuple[Result, ...] = ()
    seq: int | None = None
    age_ms: int | None = None
    took_ms: int | None = None


def as_json(predictions: Sequence[Prediction], most: int = MOST_RESULTS) -> list[dict[str, Any]]:
    """Return a form that `json.dumps` accepts: of the first models, with at most `most` results of each."""
    return [_as_json(prediction, most) for prediction in predictions[:MOST_MODELS]]


def _as_json(prediction: Prediction, most: int) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "model": prediction.model[:LONGEST_LABEL],
        "results": [_result_as_json(result) for result in prediction.results[:most]],
        "seq": prediction.seq,
        "age_ms": prediction.age_ms,
    }
    if prediction.took_ms is not None:
        fields["took_ms"] = prediction.took_ms
    return fields


def _result_as_json(result: Result) -> dict[str, Any]:
    fields: dict[str, Any] = {"label": result.label[:LONGEST_LABEL], "score": round(result.score, 4)}
    if result.box is not None:
        fields["box"] = list(result.box)
    return fields


def encode(predictions: Sequence[Prediction]) -> bytes:
    """Return the header, with as many results of each model as fit."""
    most = MOST_RESULTS
    while len(text := json.dumps(as_json(predictions, most))) > LONGEST_HEADER and most:
        most //= 2
    return text.encode()


def decode(header: bytes) -> tuple[Prediction, ...]:
    """Read the header, with its texts made `readable`; raise ValueError for anything else."""
    if len(header) > LONGEST_HEADER:
        raise ValueError(f"expected {LONGEST_HEADER} bytes at most, found {len(header)}")
    try:
        items = json.loads(header)
        if len(items) > MOST_MODELS:
            raise ValueError(f"expected {MOST_MODELS} models at most, found {len(items)}")
        return tuple(
            Prediction(
                model=_text(item["model"]),
                results=_results(item["results"]),
                seq=_number(item["seq"]),
                age_ms=_number(item["age_ms"]),
                took_ms=_number(item.get("took_ms")),
            )
            for item in items
        )
    except (AttributeError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"not the fields of predictions: {error!r}") from None


def _results(items: list[dict[str, Any]]) -> tuple[Result, ...]:
    if len(items) > MOST_RESULTS:
        raise ValueError(f"expected {MOST_RESULTS} results of a model at most, found {len(items)}")
    return tuple(map(_result, items))


def _result(fields: dict[str, Any]) -> Result:
    box = fields.get("box")
    if box is not None:
        x, y, width, height = box
        box = (
            _whole(x, -_FARTHEST, _FARTHEST),
            _whole(y, -_FARTHEST, _FARTHEST),
            _whole(width, 0, _FARTHEST),
            _whole(height, 0, _FARTHEST),
        )
    score = fields["score"]
    if not 0 <= score <= 1:  # nor NaN, which is valid in Python's JSON, but not in a browser's
        raise ValueError(f"expected a score of 0 to 1, found {str(score)[:40]}")
    return Result(label=_text(fields["label"]), score=float(score), box=box)


def _number(value: Any) -> int | None:
    return None if value is None else _whole(value, 0, LARGEST_NUMBER)


def _whole(value: Any, least: int, most: int) -> int:
    if not least <= value <= most:
        raise ValueError(f"expected a number from {least} to {most}, found {str(value)[:40]}")
    return int(value)


def _text(text: Any) -> str:
    if len(text) > LONGEST_LABEL:
        raise ValueError(f"expected {LONGEST_LABEL} characters at most, found {len(text)}")
    text.encode()  # raises ValueError for half a surrogate pair, which JSON can hold but UTF-8 cannot
    return readable(text)
