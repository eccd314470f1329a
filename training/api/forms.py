"""The forms that jobs send: metrics as JSON, and files."""

import json
from collections.abc import Iterator
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_core import from_json, to_json
from starlette.datastructures import FormData, UploadFile

from training.api.answers import line, refusal, shorten, unable
from training.api.parts import Parts
from training.fields import Fields, Text
from training.files import FileError, NoRoomError

LARGEST_FIELD: Final = 64 * 2**20
"""The largest field of a form that is not a file, in bytes."""

_CHUNK: Final = 2**20  # bytes
FILES: Final = {"trained_model": {"type": "string", "format": "binary"}}
"""The description of the file in a form."""


_EXPECTED: Final = 'a JSON object such as {"train_metrics": {"loss": [0.5]}, "val_metrics": {"loss": [0.6]}}'


def _number(value: object) -> object:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise ValueError("expected a number or null")


Number = Annotated[float | int | None, BeforeValidator(_number)]


class Metrics(Fields):
    """What a job reports. JSON has no NaN, but Python's JSON has."""

    train_metrics: dict[Text, list[Number]] | None = None
    val_metrics: dict[Text, list[Number]] | None = None
    test_metrics: dict[Text, list[Number]] | None = None
    training_time: float | None = Field(None, ge=0, description="s")
    confusion_matrix: list[list[Number]] | None = None
    indefinite: bool = False


def metrics(form: FormData, name: str = "data", *, ignores_others: bool = True) -> Metrics:
    """Return the metrics in a field of a form, JSON; raise the refusal if they are none.

    Other fields than those of `Metrics` are refused too, unless it `ignores_others`.
    """
    sent = form.get(name, "{}")
    if not isinstance(sent, str):
        raise refusal(f"{name}: expected a field with JSON, found a file")
    try:
        found = json.loads(sent)
        if not isinstance(found, dict):
            raise refusal(f"{name}: expected {_EXPECTED}, found {shorten(sent)!r}")
        if not ignores_others and (others := found.keys() - Metrics.model_fields.keys()):
            raise refusal(
                f"{name}: unknown: {shorten(', '.join(map(repr, sorted(others))))}: expected {_EXPECTED}"
            )
        return Metrics.model_validate(found)
    except (ValueError, RecursionError) as error:
        if isinstance(error, ValidationError):
            raise refusal(f"{name}: {'; '.join(line(dict(each)) for each in error.errors())}") from None
        raise refusal(f"{name}: expected a JSON object with metrics, found invalid JSON") from None


def value(sent: Metrics, name: str) -> Any:
    """Return a field's value; numbers that JSON does not have, such as NaN, become null."""
    return from_json(to_json(getattr(sent, name), inf_nan_mode="null"))


def keep_files(parts: Parts, result: int, framework: str, form: FormData) -> None:
    """Keep the trained model and the picture in a form; raise the refusal if there is no model."""
    model, picture = form.get("trained_model"), form.get("confussion_matrix")
    if not isinstance(model, UploadFile):
        raise refusal("trained_model: expected a file with the trained model, found none")
    try:
        parts.files.put_model(result, framework, _chunks(model))
        if isinstance(picture, UploadFile):
            parts.files.put_picture(result, _chunks(picture))
    except NoRoomError as error:
        raise unable(str(error)) from None
    except FileError as error:
        raise refusal(str(error)) from None


def body(kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Describe a form with the field `data` and others."""
    schema = {
        "type": "object",
        "properties": {"data": {"type": "string", "description": "JSON"}, **properties},
    }
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema}}}}


def _chunks(upload: UploadFile) -> Iterator[bytes]:
    while chunk := upload.file.read(_CHUNK):
        yield chunk
