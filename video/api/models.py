"""The API's answers, for its description: units, bounds, examples."""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.access.roles import Role
from video.api.fields import CONFIG, CameraConfig
from video.cameras.camera import State

RESULT: Final = {"label": "Windsor tie", "score": 0.93, "box": [412, 96, 180, 240]}
PREDICTION: Final = {
    "model": "imagenet_1",
    "results": [RESULT],
    "seq": 4709,
    "age_ms": 47,
    "took_ms": 23,
    "stale": False,
}
CAMERA: Final = {
    "name": "door",
    "group": "Entrance",
    "state": "live",
    "reason": None,
    "since": "2026-11-21T19:46:47Z",
    "fps": 24.9,
    "age_ms": 17,
    "seq": 4711,
    "width": 1280,
    "height": 720,
    "predictions": [PREDICTION],
    "config": CONFIG,
}
LABEL_EVENT: Final = {
    "id": "1795290407123456789",
    "time": "2026-11-21T19:46:47.123Z",
    "camera": "door",
    "model": "imagenet_1",
    "label": "Windsor tie",
    "score": 0.93,
    "previous": "suit",
    "seq": 4709,
    "snapshot": "/api/events/1795290407123456789.jpg",
}
MISSED: Final = {"retained_from": "1795290407123456789"}
SESSION: Final = {
    "access": "user",
    "name": "ann",
    "roles": ["viewer"],
    "may_change": False,
    "why_not": "this needs the role operator: python -m pipeline.users roles ann viewer operator",
    "cameras_as_data": True,
}
LEFT_OUT: Final = {
    "stream": "yard:imagenet_1:inferred",
    "reason": "its consumer sends only pictures with the labels of all models (MODELSTREAMS)",
}
STREAMS: Final = {
    "streams": ["door:imagenet_1:inferred", "front door:imagenet_1:inferred"],
    "left_out": [LEFT_OUT],
}
ERROR: Final = {"detail": "no camera 'yard'; there are: door, hall"}


def _model(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": [example]})


class Result(BaseModel):
    """One thing that a model found in a frame."""

    model_config = _model(RESULT)

    label: str = Field(description="the label")
    score: float = Field(description="the model's confidence, 0 to 1")
    box: tuple[int, int, int, int] | None = Field(
        None, description="x, y, width, height in pixels of the frame; omitted if the model returns no box"
    )


class Prediction(BaseModel):
    """A model's last answer. Without one, `results` is empty, and `seq` and `age_ms` are null."""

    model_config = _model(PREDICTION)

    model: str = Field(description="the model's name")
    results: list[Result] = Field(description="what the model found, highest score first")
    seq: int | None = Field(description="the frame that was classified")
    age_ms: int | None = Field(
        description="the age of that frame when its answer was stamped on the newest one, in ms"
    )
    took_ms: int | None = Field(
        None,
        description="how long the model took to answer the request with that frame, in ms; "
        "omitted if that is not known",
    )
    stale: bool = Field(description="whether that is too old to trust: more than the server's `STALEAFTER`")


class Camera(BaseModel):
    """A camera, its state, and the models' answers on its newest frame."""

    model_config = _model(CAMERA)

    name: str
    group: str = Field(description="the heading under which the page shows it; empty if it has none")
    state: State = Field(
        description="`live`; `stale`: a prediction is stale; `model-away`: a model has no answer; "
        "`no-signal`: no frames arrive; `paused`: they are not wanted; `broker-away`: no frames can be read "
        "from Kafka; `never-seen`: no frame has ever arrived; `connecting`: the camera is being "
        "opened, or its first frame is on its way"
    )
    reason: str | None = Field(None, description="why, in one line; null if nothing is known to be wrong")
    since: str = Field(
        description="when the state began; for a silent camera, when its last frame arrived: ISO 8601, UTC",
        json_schema_extra={"format": "date-time"},
    )
    fps: float = Field(
        ge=0, description="frames per second, over the last five seconds or, if it sends fewer, three frames"
    )
    age_ms: int | None = Field(
        ge=0, description="time since the newest frame was captured, in ms; null if there is none"
    )
    seq: int = Field(description="the newest frame's number, counted per camera; 0 if there is none")
    width: int = Field(description="of the newest frame, in pixels; 0 if there is none")
    height: int = Field(description="of the newest frame, in pixels; 0 if there is none")
    predictions: list[Prediction] = Field(description="one per model")
    config: CameraConfig | None = Field(
        description="its record, for those who may change cameras; null for others, and if it has none"
    )


class LabelEvent(BaseModel):
    """One model's first label on one camera changed."""

    model_config = _model(LABEL_EVENT)

    id: str = Field(pattern=r"^\d{1,20}$", description="increases with each event; ns since the epoch")
    time: str = Field(description="ISO 8601, UTC", json_schema_extra={"format": "date-time"})
    camera: str
    model: str
    label: str | None = Field(description="the label from now on; null if the model no longer has one")
    score: float | None = Field(description="the model's confidence, 0 to 1")
    previous: str | None = Field(description="the label until then")
    seq: int = Field(description="the frame on which the label appeared")
    snapshot: str | None = Field(description="the address of that frame; null if it is no longer kept")


class Session(BaseModel):
    """The current user."""

    model_config = _model(SESSION)

    access: Literal["open", "user"] = Field(description="`open`: no login required; `user`: logged in")
    name: str | None = Field(None, description="the user's name; omitted if access is open")
    roles: list[Role] = Field(description="what the user may do")
    may_change: bool = Field(description="whether the user may change cameras")
    why_not: str | None = Field(description="how to get the permission; null if it is there")
    cameras_as_data: bool = Field(description="whether cameras can be added here at all (`CAMERASTOPIC`)")


class LeftOut(BaseModel):
    """A stream that there should be."""

    model_config = _model(LEFT_OUT)

    stream: str = Field(description="its id")
    reason: str = Field(description="why there is none, in one line")


class Streams(BaseModel):
    """The streams whose frames arrive."""

    model_config = _model(STREAMS)

    streams: list[str] = Field(
        description="their ids, `NAME:MODEL:inferred`; in the names, `%`, `:`, `/`, `?`, `#` and `\\` are"
        " percent-encoded"
    )
    left_out: list[LeftOut] | None = Field(
        None, description="those that cannot be shown; omitted if there are none"
    )


class Error(BaseModel):
    """An error."""

    model_config = _model(ERROR)

    detail: str = Field(description="one line: what is wrong, and what was expected")
