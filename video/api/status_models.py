"""What `/api/status` answers, for its description."""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from video.cameras.camera import State

_DROPPED: Final[dict[str, Any]] = {"reason": "replaced", "count": 17, "per_s": 0.3}
_DROPPED_BY: Final[dict[str, Any]] = {**_DROPPED, "service": "consumer"}
_FIGURES: Final[dict[str, Any]] = {
    "in_per_s": 25.0,
    "out_per_s": 24.7,
    "age_ms": 31,
    "dropped": [_DROPPED],
    "why": None,
}
_PROCESS: Final[dict[str, Any]] = {
    "instance": "consumer-7c9f6d-x2x4v-3f2a9c",
    "state": "ready",
    "reason": None,
    "since": "2026-11-21T19:46:47Z",
    **_FIGURES,
}
_CAMERA: Final[dict[str, Any]] = {
    "name": "door",
    "state": "live",
    "reason": None,
    "captured": 25.0,
    "labelled": 24.7,
    "shown": 24.7,
    "age_ms": 38,
    "dropped": [_DROPPED_BY],
    "why": {},
}
_SERVICE: Final[dict[str, Any]] = {
    "service": "consumer",
    "replicas": 1,
    "states": {"ready": 1},
    **_FIGURES,
    "processes": [_PROCESS],
}
_MODEL_SERVER: Final[dict[str, Any]] = {
    "model": "imagenet_1",
    "server": "tfserving:8501",
    "consumers": 2,
    "state": "ready",
    "reason": None,
    "requests_per_s": 21.3,
    "frames_per_s": 38.5,
    "answer_ms": 46,
    "age_ms": 112,
    "failed": [{"reason": "timeout", "count": 3, "per_s": 0.0}],
    "why": None,
}
STATUS: Final[dict[str, Any]] = {
    "services": [_SERVICE],
    "model_servers": [_MODEL_SERVER],
    "cameras": [_CAMERA],
    "notes": [],
}


def _model(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": [example]})


class Dropped(BaseModel):
    """Frames that went no further."""

    model_config = _model(_DROPPED)

    reason: str = Field(description="the reason, in one word")
    count: int = Field(ge=0, description="frames since the processes began")
    per_s: float = Field(ge=0, description="frames per second, over the last ten seconds")


class DroppedBy(Dropped):
    """Frames of a camera that went no further."""

    model_config = _model(_DROPPED_BY)

    service: str = Field(description="the service that dropped them")


class _Sums(BaseModel):
    in_per_s: float | None = Field(description="frames per second that came in, over the last ten seconds")
    out_per_s: float | None = Field(description="frames per second that went out")
    age_ms: int | None = Field(
        description="the median age of the last frames that went out, in ms since their capture"
    )
    dropped: list[Dropped] = Field(description="by reason")
    why: str | None = Field(None, description="why some of these are null; null if none is")


class ProcessStatus(_Sums):
    """A process of a service. Its figures are of the cameras that you may see."""

    model_config = _model(_PROCESS)

    instance: str = Field(description="its host's name, and a random number")
    state: Literal["ready", "not-ready", "stopped", "silent", "connecting", "live", "no-signal", "paused"] = (
        Field(
            description="`ready`; `not-ready`; `stopped`: it ended in an orderly way; `silent`: it has not"
            " reported for 25 s"
        )
    )
    reason: str | None = Field(None, description="why, in one line, for those who may see every camera")
    since: str = Field(
        description="when the state began: ISO 8601, UTC", json_schema_extra={"format": "date-time"}
    )


class ServiceStatus(_Sums):
    """A service. Its figures are those of all its processes, and of the cameras that you may see."""

    model_config = _model(_SERVICE)

    service: str = Field(description="such as `producer`")
    replicas: int = Field(ge=0, description="how many processes run")
    states: dict[str, int] = Field(description="how many are in each state")
    processes: list[ProcessStatus] | None = Field(
        description="each of them, if access is open, or for those who may change cameras; otherwise null"
    )


class ModelServer(BaseModel):
    """A model at a server, as the consumers that ask it report."""

    model_config = _model(_MODEL_SERVER)

    model: str
    server: str | None = Field(
        description="host:port, if access is open, or for those who may change cameras; otherwise null"
    )
    consumers: int = Field(ge=1, description="how many ask it")
    state: Literal["ready", "not-ready"] = Field(description="`not-ready` if a consumer gets no answers")
    reason: str | None = Field(None, description="why, in one line, for those who may see every camera")
    requests_per_s: float | None = Field(
        description="requests that were answered per second, over the last ten seconds"
    )
    frames_per_s: float | None = Field(description="frames in these requests, per second")
    answer_ms: int | None = Field(description="how long a request took, in ms, on average")
    age_ms: int | None = Field(
        description="the age of its labels when they were put on frames, in ms, from the capture of the frame"
        " they are about"
    )
    failed: list[Dropped] = Field(description="requests without a valid answer, by reason")
    why: str | None = Field(None, description="why some of these are null; null if none is")


class CameraFlow(BaseModel):
    """A camera, and its frames per second at each stage, over the last ten seconds."""

    model_config = _model(_CAMERA)

    name: str
    state: State = Field(description="as at `/api/cameras`")
    reason: str | None = Field(None, description="why, in one line; null if nothing is known to be wrong")
    captured: float | None = Field(description="frames per second that producers got from it")
    labelled: float | None = Field(description="frames per second that consumers passed on")
    shown: float | None = Field(description="frames per second that this server took for its clients")
    age_ms: int | None = Field(
        description="the median age of the last frames when they were shown, in ms since their capture"
    )
    dropped: list[DroppedBy] = Field(description="by service and reason")
    why: dict[str, str] = Field(description="for each of these that is null: why")


class StatusOverview(BaseModel):
    """All services, and the flow of each camera's frames."""

    model_config = _model(STATUS)

    services: list[ServiceStatus]
    model_servers: list[ModelServer] = Field(description="those that consumers ask, by model")
    cameras: list[CameraFlow] = Field(description="those that you may see, by name")
    notes: list[str] = Field(
        description="what makes the figures wrong or incomplete, such as clocks that disagree; one line each"
    )
