"""A camera as a record of the compacted topic `CAMERASTOPIC`: the key is its name, the value JSON.

All fields but `link` are optional: `{"link", "interval", "scale", "rotate", "models", "paused", "weight",
"deadline", "group", "partition", "until"}`. `link` may be encrypted (`pipeline.cameras.seal`). A tombstone
removes the camera.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from pipeline.service.settings import explain
from pipeline.service.values import parse_duration
from pipeline.wire.frame import LONGEST_KEY, LONGEST_NAME, is_name
from pipeline.wire.text import readable

LARGEST: Final = 10_000
"""The largest value of a record, in bytes."""

LONGEST_LINK: Final = 2_000
"""The greatest length of a link, in characters."""

LONGEST_GROUP: Final = 100
"""The greatest length of a group's name, in characters."""

MOST_MODELS: Final = 20
"""Models that a record may name."""


PREVIEW: Final = "preview-"
"""How the names of previews begin."""

_PREVIEW: Final = re.compile(rf"{PREVIEW}[0-9a-f]{{16}}")


class RecordError(ValueError):
    """A message is not a camera's record: `kind` is one word for the metrics, the text says what is wrong."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


def _quarters(degrees: int) -> int:
    if degrees not in (0, 90, 180, 270):
        raise ValueError("expected 0, 90, 180 or 270")
    return degrees


def _one_line(text: str) -> str:
    return " ".join(readable(text).split())


def _pair(scale: object) -> object:
    return (scale, scale) if isinstance(scale, int | float) else scale


def _flag(value: object) -> object:
    if not isinstance(value, bool):
        raise ValueError("expected true or false")
    return value


_Factor = Annotated[float, Field(gt=0, le=8)]
_Seconds = Annotated[float, BeforeValidator(parse_duration)]


class CameraRecord(BaseModel):
    """How to capture one camera, and who uses its frames.

    `link` is as it stands in the topic: encrypted, if the writer had a key.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    link: str = Field(
        min_length=1, max_length=LONGEST_LINK, repr=False, description="where the camera sends its pictures"
    )
    interval: Annotated[_Seconds, Field(ge=0.001, le=3600)] | None = Field(
        None, description="time between two frames, such as `40ms`; null for the producer's `FRAMEINTERVAL`"
    )
    scale: Annotated[tuple[_Factor, _Factor], BeforeValidator(_pair)] = Field(
        (1.0, 1.0), description="factors for width and height, or one for both; above 0, at most 8"
    )
    rotate: Annotated[int, AfterValidator(_quarters)] = Field(
        0, description="degrees to turn the picture clockwise: 0, 90, 180 or 270"
    )
    models: Annotated[list[str], Field(max_length=MOST_MODELS)] | None = Field(
        None, description="the models that label this camera; null for all"
    )
    paused: Annotated[bool, BeforeValidator(_flag)] = Field(
        False, description="whether its frames are not wanted now"
    )
    weight: float = Field(1.0, gt=0, le=100, description="its share of the models' time, relative to others")
    deadline: Annotated[_Seconds, Field(ge=0.001, le=3600)] | None = Field(
        None, description="the age up to which a frame is worth a model's time, such as `500ms`"
    )
    group: Annotated[str, Field(max_length=LONGEST_GROUP), AfterValidator(_one_line)] = Field(
        "", description="the heading under which the page shows it"
    )
    partition: int | None = Field(
        None, ge=0, le=100_000, description="the partition of its frames; chosen when the camera is added"
    )
    until: float | None = Field(
        None, ge=0, le=32_503_680_000, description="when a preview ends, in s since the epoch"
    )

    @property
    def is_preview(self) -> bool:
        """Whether the camera is only looked at before it is added."""
        return self.until is not None

    def has_ended(self, now: float) -> bool:
        """Return whether a preview is over."""
        return now >= (math.inf if self.until is None else self.until)


# In place of pydantic's texts, which name Python's types, and limits without units.
_EXPECTED: Final = {
    "interval": "expected a Go duration from 1ms to 1h, such as 40ms",
    "scale": "expected a factor above 0, at most 8, or two of them: width and height",
    "rotate": "expected 0, 90, 180 or 270",
    "models": f"expected a list of at most {MOST_MODELS} names of models",
    "paused": "expected true or false",
    "weight": "expected a number above 0, at most 100",
    "deadline": "expected a Go duration from 1ms to 1h, such as 500ms",
    "group": f"expected a text of at most {LONGEST_GROUP} characters",
    "partition": "expected a whole number from 0 to 100000",
    "until": "expected a time in s since the epoch",
}


def encode(record: CameraRecord) -> bytes:
    """Return the value of a record: only what differs from the defaults."""
    fields = record.model_dump(mode="json", exclude_defaults=True)
    for name in ("interval", "deadline"):
        if name in fields:
            fields[name] = f"{fields[name]!r}s"
    if "scale" in fields and record.scale[0] == record.scale[1]:
        fields["scale"] = record.scale[0]
    return json.dumps(fields, ensure_ascii=False).encode()


def is_preview(name: str) -> bool:
    """Return whether a name is that of a preview."""
    return _PREVIEW.fullmatch(name) is not None


def why_no_name(text: str) -> str | None:
    """Return in one line why a text cannot be the name of a new camera, or None if it can."""
    if not is_name(text):
        return f"expected a name of 1 to {LONGEST_NAME} printable characters"
    if text != text.strip():
        return "expected a name without spaces around it"
    if text in (".", "..") or "/./" in f"/{text}/" or "/../" in f"/{text}/":
        return "browsers leave out the parts . and .. of an address: use another name"
    if text.lower().startswith(PREVIEW):
        return f"names that begin with {PREVIEW} are for previews on the page: use another name"
    return None


def name_of(key: bytes | None) -> str:
    """Return the camera of a record; raise `RecordError` for a key that is not a name."""
    try:
        name = key.decode() if key is not None and len(key) <= LONGEST_KEY else ""
    except UnicodeDecodeError:
        name = ""
    if not is_name(name):
        raise RecordError("bad_key", f"expected a key of 1 to 200 printable characters, found {key!r:.80}")
    return name


def decode(value: bytes) -> CameraRecord:
    """Return a record; raise `RecordError` for any other value."""
    if len(value) > LARGEST:
        raise RecordError("too_large", f"expected a record of at most {LARGEST} bytes, found {len(value)}")
    try:
        fields = json.loads(value)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise RecordError("bad_value", "expected a JSON object with the field link")
    return checked(fields)


def checked(fields: dict[str, object]) -> CameraRecord:
    """Return the record with these fields; raise `RecordError` that names the first wrong one."""
    try:
        return CameraRecord.model_validate(fields, strict=False)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        name = str(problem["loc"][0])
        # The value is left out: it may hold a password.
        raise RecordError("bad_value", f"{name}: {_expected(name, problem)}") from None


def writable(fields: dict[str, object]) -> CameraRecord:
    """Return the record with these fields; raise `RecordError` also if no reader would take it."""
    record = checked(fields)
    try:
        size = len(encode(record))
    except UnicodeEncodeError:
        raise RecordError("bad_value", "expected text in UTF-8, without halves of surrogate pairs") from None
    if size > LARGEST:
        raise RecordError("too_large", f"expected a record of at most {LARGEST} bytes, found {size}")
    return record


def _expected(name: str, problem: Mapping[str, Any]) -> str:
    if problem["type"] == "missing" and name == "link":
        return "is missing"
    if problem["type"] == "string_too_long" and name == "link":
        return f"expected at most {LONGEST_LINK} characters, also after it is encrypted"
    if problem["type"] == "string_unicode" or name not in _EXPECTED:
        return explain(problem)
    return _EXPECTED[name]
