"""Cameras' records as the API reads and writes them, for its description."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from pipeline.cameras.record import LONGEST_GROUP, LONGEST_LINK, MOST_MODELS, CameraRecord

_LINK: Final = "rtsp://admin:secret@192.168.1.20/stream1"
_FIELDS: Final[dict[str, Any]] = {
    "interval": "40ms",
    "scale": 1.0,
    "rotate": 0,
    "models": ["imagenet_1"],
    "paused": False,
    "weight": 1.0,
    "deadline": None,
    "group": "Entrance",
    "partition": 0,
}
CONFIG: Final[dict[str, Any]] = {"link": "rtsp://admin:***@192.168.1.20/stream1", **_FIELDS}
_PREVIEW_FIELDS: Final[dict[str, Any]] = {"link": _LINK, "interval": "1s", "scale": 0.5, "rotate": 90}
PREVIEW: Final[dict[str, Any]] = {"name": "preview-0123456789abcdef", "until": 1795290497.0}

_ABOUT: Final = {name: field.description or "" for name, field in CameraRecord.model_fields.items()}
_Duration = str | float | None


class _Fields(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    interval: _Duration = Field(None, description=_ABOUT["interval"])
    scale: float | tuple[float, float] = Field(1.0, description=_ABOUT["scale"])
    rotate: int = Field(0, description=_ABOUT["rotate"])


class CameraFields(_Fields):
    """A camera's record; only the link is required, unless the camera has one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"link": _LINK, **_FIELDS}]})

    link: str | None = Field(
        None,
        max_length=LONGEST_LINK,
        description=f"{_ABOUT['link']}; of a scheme in `LINKSCHEMES`. Without it, the present one stays",
    )
    models: list[str] | None = Field(None, max_length=MOST_MODELS, description=_ABOUT["models"])
    paused: bool = Field(False, description=_ABOUT["paused"])
    weight: float = Field(1.0, description=_ABOUT["weight"])
    deadline: _Duration = Field(None, description=_ABOUT["deadline"])
    group: str = Field("", max_length=LONGEST_GROUP, description=_ABOUT["group"])
    partition: int | None = Field(None, description=_ABOUT["partition"])


class CameraConfig(CameraFields):
    """A camera's record, with passwords in its link as `***`, and durations as Go writes them."""

    model_config = ConfigDict(json_schema_extra={"examples": [CONFIG]})

    link: str | None = Field(description="where the camera sends its pictures; secrets are `***`")


class NewCamera(CameraFields):
    """A camera that is added."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "door", "link": _LINK, **_FIELDS}]})

    name: str = Field(
        min_length=1, max_length=200, description="its name, printable; not one that begins with `preview-`"
    )
    link: str = Field(max_length=LONGEST_LINK, description=_ABOUT["link"])


class PreviewFields(_Fields):
    """A camera that is only looked at."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PREVIEW_FIELDS]})

    link: str = Field(max_length=LONGEST_LINK, description=_ABOUT["link"])


class Preview(BaseModel):
    """A preview: its picture is at `/stream/{name}`, its state at `/api/cameras/{name}`."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": [PREVIEW]})

    name: str = Field(pattern=r"^preview-[0-9a-f]{16}$")
    until: float = Field(description="when it ends, in s since the epoch")


def body(kind: type[BaseModel]) -> dict[str, Any]:
    """Return the description of a request's body."""
    schema = kind.model_json_schema()
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
