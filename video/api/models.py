"""What the API answers, for its description: units, bounds, examples."""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from video.cameras.camera import State

RESULT: Final = {"label": "Windsor tie", "score": 0.93, "box": [412, 96, 180, 240]}
PREDICTION: Final = {"model": "imagenet_1", "results": [RESULT], "seq": 4709, "age_ms": 47}
CAMERA: Final = {
    "name": "door",
    "state": "live",
    "since": "2026-11-21T19:46:47Z",
    "fps": 24.9,
    "age_ms": 17,
    "seq": 4711,
    "width": 1280,
    "height": 720,
    "predictions": [PREDICTION],
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
SESSION: Final = {"access": "user", "name": "ann"}
ERROR: Final = {"detail": "no camera 'yard'; there are: door, hall"}


def _model(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": [example]})


class Result(BaseModel):
    """One thing that a model saw."""

    model_config = _model(RESULT)

    label: str = Field(description="what it is")
    score: float = Field(description="how sure the model is, 0 to 1")
    box: tuple[int, int, int, int] | None = Field(
        None, description="x, y, width, height in pixels of the frame; left out where the model tells none"
    )


class Prediction(BaseModel):
    """A model's last answer; without results, `seq` and `age_ms` while it has none that is fresh enough."""

    model_config = _model(PREDICTION)

    model: str = Field(description="the model's name")
    results: list[Result] = Field(description="what it saw, the surest first")
    seq: int | None = Field(description="the frame that was classified")
    age_ms: int | None = Field(
        description="how old that frame was when the answer was put on this one, in ms"
    )


class Camera(BaseModel):
    """A camera, its state, and what the models say of its newest frame."""

    model_config = _model(CAMERA)

    name: str
    state: State = Field(
        description="`live`; `stale`: the answer behind a label is old; `model-away`: a model has no answer; "
        "`no-signal`: no frame comes; `broker-away`: nor does Kafka answer"
    )
    since: str = Field(
        description="when the state began; where no frame comes, when the last one came: ISO 8601, UTC",
        json_schema_extra={"format": "date-time"},
    )
    fps: float = Field(ge=0, description="frames a second that come, over the last five seconds")
    age_ms: int = Field(ge=0, description="how long ago the newest frame was captured, in ms")
    seq: int = Field(description="the newest frame's number; it counts per camera")
    width: int = Field(description="of the frame, in pixels")
    height: int = Field(description="of the frame, in pixels")
    predictions: list[Prediction] = Field(description="one a model")


class LabelEvent(BaseModel):
    """The first label of one model on one camera changed."""

    model_config = _model(LABEL_EVENT)

    id: str = Field(pattern=r"^\d{1,20}$", description="goes up with each event; ns since the epoch")
    time: str = Field(description="ISO 8601, UTC", json_schema_extra={"format": "date-time"})
    camera: str
    model: str
    label: str | None = Field(description="the label from now on; null: the model has none any more")
    score: float | None = Field(description="how sure the model is, 0 to 1")
    previous: str | None = Field(description="the label until now")
    seq: int = Field(description="the frame on which the label came up")
    snapshot: str | None = Field(description="where that frame is; null once it is no longer kept")


class Session(BaseModel):
    """Who asks."""

    model_config = _model(SESSION)

    access: Literal["open", "user"] = Field(description="`open`: no login is wanted of anybody")
    name: str | None = Field(None, description="the user's name; left out where access is open")


class Error(BaseModel):
    """What is wrong."""

    model_config = _model(ERROR)

    detail: str = Field(description="one line: what is wrong, and what would be right")
