"""Types of the fields that clients send."""

import json
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import from_json, to_json

LARGEST_NUMBER: Final = 2**31 - 1
"""The largest id, and the largest whole number of most fields."""

NAME_LENGTH: Final = 30
"""The characters of a name at most, as in Kafka-ML."""

_LEVELS: Final = 10  # around a value of a row, in a list of rows
_NOT_IN_NAMES: Final = frozenset('/\\<>"&')


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("expected text without NUL characters")
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair
        raise ValueError("expected text in UTF-8") from None
    return text


def storable_json(value: Any) -> Any:
    """Return a JSON value that can be stored and shown in a list of rows; raise ValueError for others."""
    nested = value
    for _ in range(_LEVELS):
        nested = [nested]
    try:
        from_json(to_json(nested, inf_nan_mode="null"))
    except (ValueError, RecursionError):
        raise ValueError("expected JSON in UTF-8 that is nested less deeply") from None
    return value


def _name(text: str) -> str:
    if not text.isprintable() or _NOT_IN_NAMES & {*text} or not text.strip(". "):
        raise ValueError(
            f"expected a name of at most {NAME_LENGTH} printable characters, not only dots,"
            ' without / \\ < > " &'
        )
    return text


def name_like(text: str) -> str:
    """Return a text with "-" in place of what a `Name` cannot have; its length is the same."""
    found = "".join("-" if each in _NOT_IN_NAMES or not each.isprintable() else each for each in text)
    return found if found.strip(". ") else "-" * len(found)


def _id(value: object) -> object:
    """Return the id in an object such as the API itself returns, {"id": 3, "name": "digits"}."""
    return value.get("id", value) if isinstance(value, dict) else value


def as_object(value: object) -> object:
    """Return the object in a JSON text; raise ValueError if it is none. Anything else passes unchanged."""
    if not isinstance(value, str):
        return value
    try:
        found = json.loads(value or "{}")
    except (ValueError, RecursionError):
        raise ValueError(
            'expected a JSON object such as {"data_type": "uint8"}, found invalid JSON'
        ) from None
    if not isinstance(found, dict):
        raise ValueError('expected a JSON object such as {"data_type": "uint8"}')
    return found


Text = Annotated[str, AfterValidator(_storable)]
"""Text that each database can store."""

NotEmpty = Annotated[str, Field(min_length=1), AfterValidator(_storable)]
"""Text of at least one character."""

Name = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH), AfterValidator(_name)]
"""The name of a model or a configuration; it may become the name of a folder."""

Short = Annotated[str, Field(max_length=100), AfterValidator(_storable)]
"""Text of at most 100 characters, as in Kafka-ML."""

Reason = Annotated[str, Field(max_length=2000), AfterValidator(_storable)]
"""Why something has failed, in at most 2000 characters."""

Id = Annotated[int, BeforeValidator(_id), Field(ge=1, le=LARGEST_NUMBER)]
"""The id of a row."""

Count = Annotated[int, Field(ge=0, le=LARGEST_NUMBER)]
"""A whole number."""

Positive = Annotated[int, Field(gt=0, le=LARGEST_NUMBER)]
"""A whole number above 0."""

Rate = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
"""A share, from 0 to 1. Kafka-ML rejects more than 6 decimals; here they are allowed."""

JsonObject = Annotated[dict[str, Any], BeforeValidator(as_object), AfterValidator(storable_json)]
"""An object, or a JSON text with one."""


class Fields(BaseModel):
    """What a client sends. Unknown fields are ignored; null stands for the default, if there is one."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, sent: object) -> object:
        if not isinstance(sent, dict):
            return sent
        return {
            name: value
            for name, value in sent.items()
            if value is not None or name not in cls.model_fields or cls.model_fields[name].default is None
        }


def given(sent: Fields, *, all_fields: bool) -> dict[str, Any]:
    """Return the values that a client has sent, or those of all fields."""
    return {
        name: getattr(sent, name)
        for name in type(sent).model_fields
        if all_fields or name in sent.model_fields_set
    }
