"""What the API answers, for its description in OpenAPI."""

from typing import Any, Final, Literal

from pydantic import BaseModel, Field
from pydantic.config import JsonDict

Description = dict[int | str, dict[str, Any]]
"""FastAPI's `responses`."""

_TIME: Final[JsonDict] = {"format": "date-time"}
Metrics = dict[str, list[float | None]]
"""A metric's name → a number per epoch."""


class Brief(BaseModel):
    """A row's id and name."""

    id: int
    name: str


class Moment(BaseModel):
    """A row's id and when it was created."""

    id: int
    time: str = Field(json_schema_extra=_TIME)


class Model(BaseModel):
    """A model."""

    id: int
    name: str
    description: str
    imports: str
    code: str
    distributed: bool
    father: Brief | None
    framework: str
    created_at: str = Field(json_schema_extra=_TIME)
    updated_at: str = Field(json_schema_extra=_TIME)


class Configuration(BaseModel):
    """A set of models."""

    id: int
    name: str
    description: str
    ml_models: list[Brief]
    deployments: list[Moment]


class ResultOfDeployment(BaseModel):
    """A result, as its deployment lists it."""

    id: int
    status: str
    model: Brief
    status_changed: str = Field(json_schema_extra=_TIME)
    state: str


class Deployment(BaseModel):
    """A training of a configuration."""

    id: int
    configuration: Brief
    results: list[ResultOfDeployment]
    time: str = Field(json_schema_extra=_TIME)
    batch: int
    tf_kwargs_fit: str
    tf_kwargs_val: str
    pth_kwargs_fit: str
    pth_kwargs_val: str
    conf_mat_settings: bool
    optimizer: str
    learning_rate: float
    loss: str
    metrics: str
    incremental: bool
    indefinite: bool
    stream_timeout: int
    monitoring_metric: str | None
    change: str | None
    improvement: float
    unsupervised: bool
    unsupervised_rounds: int
    confidence: float
    federated: bool
    agg_rounds: int
    min_data: int
    agg_strategy: str
    data_restriction: dict[str, Any]
    blockchain: bool
    autoserve: bool
    random_split: bool
    seed: int | None
    node_selector: dict[str, str]
    tolerations: list[dict[str, str | int]]


class Result(BaseModel):
    """A model's training. The trained model itself is at `/results/model/{id}`."""

    id: int
    status: Literal["created", "deployed", "finished", "stopped"]
    status_changed: str = Field(json_schema_extra=_TIME)
    deployment: Moment
    model: Brief
    train_metrics: Metrics | None
    val_metrics: Metrics | None
    test_metrics: Metrics | None
    confusion_matrix: list[list[float]] | None
    training_time: float | None = Field(description="s; a text in /deployments/results/{id}")
    state: str = Field(
        description="queued, starting, waiting, reading, training, evaluating, exporting, finished, failed "
        "or stopped"
    )
    reason: str | None = Field(description="why it waits or has failed, in one line")
    progress: dict[str, Any] | None = Field(description="its job's last report; while queued, its `place`")
    seed: int | None = Field(description="of all that is random in the training")


class Datasource(BaseModel):
    """A control message: where a stream's data are."""

    id: int
    input_format: str
    deployment: str
    input_config: str = Field(description="JSON")
    description: str
    topic: str = Field(description="topic:partition:start:end, several separated by commas; or a topic")
    validation_rate: float
    test_rate: float
    total_msg: int | None
    time: str = Field(json_schema_extra=_TIME)
    unsupervised_topic: str | None
    incremental: bool | None
    dataset_restrictions: Any


class Inference(BaseModel):
    """A trained model that predicts what arrives on a topic."""

    id: int
    model_result: int | None
    replicas: int
    input_format: str
    input_config: str = Field(description="JSON")
    input_topic: str
    output_topic: str
    time: str = Field(json_schema_extra=_TIME)
    status: Literal["deployed", "stopped"]
    status_changed: str = Field(json_schema_extra=_TIME)
    limit: float | None
    output_upper: str | None
    token: None
    external_host: str | None
    input_kafka_broker: str | None
    output_kafka_broker: str | None
    upper_kafka_broker: str | None
    reason: str | None = Field(description="what is missing, in one line")
    model_server: str | None
    state: str = Field(description="starting, ready, not-ready or stopped")
    progress: dict[str, Any] = Field(
        description="messages `answered`, `skipped` and `waiting`, and the last reports of all `replicas`"
    )


class Prefilled(BaseModel):
    """The format of a result's data, as far as it is known."""

    input_format: str
    input_config: str


class Point(BaseModel):
    """A metric after an epoch, counted from 1."""

    value: float | None
    name: int


class Curve(BaseModel):
    """A metric; the name of the validation's ends in `_val`."""

    name: str
    series: list[Point]


class Chart(BaseModel):
    """The curves of a training."""

    metrics: list[Curve]
    conf_mat: list[list[float]] | None


class Log(BaseModel):
    """The end of what a job has written."""

    log: str


class Missing(BaseModel):
    """A row that does not exist."""

    detail: str


REFUSED: Final[Description] = {
    400: {"model": str, "description": "Why not, in one line"},
    503: {"model": Missing, "description": "The database, or Kafka, does not answer"},
}
MISSING: Final[Description] = {404: {"model": Missing, "description": "Does not exist"}}
DELETED: Final[Description] = {200: {"model": dict[str, Any], "description": "Deleted"}, **REFUSED}
DONE: Final[Description] = {200: {"model": dict[str, Any], "description": "Done"}, **REFUSED}


def listed(kind: type[BaseModel]) -> Description:
    """Describe a list."""
    return {200: {"model": list[kind], "description": "The list"}, **REFUSED}  # type: ignore[valid-type]


def one(kind: type[BaseModel]) -> Description:
    """Describe a row, which may not exist."""
    return {**changed(kind), **MISSING}


def made(kind: type[BaseModel]) -> Description:
    """Describe a new row."""
    return {201: {"model": kind, "description": "The new one"}, **REFUSED}


def changed(kind: type[BaseModel]) -> Description:
    """Describe a row."""
    return {200: {"model": kind, "description": "It"}, **REFUSED}


def value(example: Any) -> Description:
    """Describe an answer by an example."""
    kind = type(example)
    found = {"application/json": {"example": example}}
    return {200: {"model": kind, "description": "It", "content": found}, **REFUSED}


def file(kind: str, description: str) -> Description:
    """Describe a file."""
    return {200: {"description": description, "content": {kind: {}}}, **REFUSED}
