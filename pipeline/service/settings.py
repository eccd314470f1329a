"""Settings from the environment, and one clear line for each wrong value."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar, get_args, get_origin

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from pipeline.service import state
from pipeline.service.masking import hide, learn, mask_setting
from pipeline.service.trim import trimmed
from pipeline.service.values import Address, Compression, Duration, Port, Topic, parse_json_map
from pipeline.wire import largest

_LONGEST_SHOWN: Final = 500  # characters of a wrong value


class Settings(BaseSettings):
    """Settings of every service. A variable is its field's name in capitals; an empty one counts as unset.

    Values are `trimmed`.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _trim(cls, fields: dict[str, Any]) -> dict[str, Any]:
        values = {name: trimmed(value) if isinstance(value, str) else value for name, value in fields.items()}
        return {name: value for name, value in values.items() if value != ""}

    kafkaconfig: Annotated[dict[str, Any], NoDecode, BeforeValidator(parse_json_map)] = Field(
        {}, repr=False, description="a JSON object passed to librdkafka unchanged"
    )
    healthport: Port = Field(
        Address("", 9000), description="where health and metrics are served, such as :9000"
    )
    topicnamestatus: Topic = Field(
        "status", description="the compacted topic with the states of all services and cameras"
    )
    statefolder: Annotated[Path, AfterValidator(state.expanded)] = Field(
        default_factory=state.default,
        description="a folder that outlives a crash, for notes on its cause, such as /var/lib/streamlens",
    )
    maxpixels: int = Field(
        largest.PIXELS,
        ge=1_000_000,
        le=largest.MOST_PIXELS,
        description="most pixels of a frame, 1000000 to 64000000; more need more memory",
    )
    partitions: int = Field(
        8,
        ge=0,
        le=10_000,
        description="partitions of a topic of frames that is created, at most 10000; 0: create none",
    )
    loglevel: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="debug, info, warning or error"
    )
    logformat: Literal["auto", "text", "json"] = Field(
        "auto", description="text, json, or auto: text on a terminal, otherwise json"
    )


class KafkaReads(Settings):
    """Settings of services that read frames from Kafka."""

    kafkafetchwait: Duration = Field(
        0.1, ge=0.001, le=1, description="how long the broker may hold back an empty answer, 1ms to 1s"
    )
    maxcameras: int = Field(256, ge=1, le=10_000, description="most cameras at a time, 1 to 10000")
    camerattl: Duration = Field(
        24 * 3600,
        ge=1,
        le=366 * 24 * 3600,
        description="silence after which a camera is forgotten, 1s to 8784h",
    )


class KafkaWrites(Settings):
    """Settings of services that publish frames to Kafka."""

    compressiontype: Compression = Field("none", description="none, gzip, snappy, lz4 or zstd")


# In place of pydantic's texts, which name Python's types.
_EXPECTED: Final = {
    "string_too_short": "at least one character",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "list_type": "a list",
    "model_type": "a JSON object",
    "model_attributes_type": "a JSON object",
    "dict_type": "a JSON object",
    "string_type": "a text",
    "string_unicode": "text in UTF-8",
}

_Settings = TypeVar("_Settings", bound=Settings)


class SettingsError(Exception):
    """One or more settings are wrong or missing: a line for each."""


def load(kind: type[_Settings]) -> _Settings:
    """Read a service's settings from the environment; raise `SettingsError` if one is wrong or missing."""
    variables = {name: trimmed(_variable(name)) for name in kind.model_fields}
    learn(*(value for name, value in variables.items() if _may_hold_secrets(kind.model_fields[name])))
    if broken := [name for name in kind.model_fields if not _is_utf8(_variable(name))]:
        lines = [f"{name.upper()}={_shown(kind, name)}: expected text in UTF-8" for name in broken]
        raise SettingsError("\n".join(lines))
    try:
        return kind()
    except ValidationError as error:
        learn(*variables.values())  # a secret may stand in the wrong one
        found = dict.fromkeys(_explain(kind, dict(problem)) for problem in error.errors())
        raise SettingsError("\n".join(found)) from None


def _explain(kind: type[Settings], problem: Mapping[str, Any]) -> str:
    text = _short(explain(problem))
    if not problem["loc"]:  # about several settings together
        return text
    name = str(problem["loc"][0])
    field = kind.model_fields[name]
    meaning = f" ({field.description})" if field.description else ""
    if problem["type"] == "missing":
        return f"{name.upper()} is not set{meaning}"
    return f"{name.upper()}={_shown(kind, name)}: {text}{meaning}"


def explain(problem: Mapping[str, Any]) -> str:
    """Return what was expected instead of a value, given one of pydantic's errors."""
    text = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] in _EXPECTED:
        text = f"expected {_EXPECTED[problem['type']]}"
    elif problem["type"] == "string_too_long":
        text = f"expected at most {problem['ctx']['max_length']} characters"
    elif text.startswith("Input should be "):
        text = f"expected {text.removeprefix('Input should be ')}"
    return text.replace("expected greater", "expected a value greater").replace(
        "expected less", "expected a value less"
    )


def _may_hold_secrets(field: FieldInfo) -> bool:
    """Return whether a field is a link, a JSON object, or otherwise not for everybody."""
    kinds = (field.annotation, *get_args(field.annotation))
    return not field.repr or any(kind is SecretStr or get_origin(kind) is dict for kind in kinds)


def _shown(kind: type[Settings], name: str) -> str:
    value = mask_setting(trimmed(_variable(name))) if kind.model_fields[name].repr else "***"
    return _short(repr(value))


def _short(text: str) -> str:
    text = hide(text)  # first: half a secret would not be recognised
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _variable(name: str) -> str:
    return next((value for key, value in os.environ.items() if key.upper() == name.upper()), "")


def _is_utf8(text: str) -> bool:
    # Python decodes other bytes of a variable as halves of surrogate pairs.
    return not any("\ud800" <= character <= "\udfff" for character in text)


def strangers(kind: type[Settings]) -> list[str]:
    """Return a line for each variable that looks like a misspelt setting.

    Settings' names consist of letters only. Others are ignored: Kubernetes injects variables of its own.
    """
    known = {name.upper() for name in kind.model_fields}
    lines = []
    for name in sorted(os.environ):
        if name in known or not (name.isalpha() and name.isupper()):
            continue
        if near := difflib.get_close_matches(name, known, n=1, cutoff=0.91):
            lines.append(f"{name} is not a setting of this service and is ignored; did you mean {near[0]}?")
    return lines
