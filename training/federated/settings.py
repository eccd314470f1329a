"""The settings of the aggregator, which the training's job has too, and those of a worker."""

from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import NoDecode

from pipeline.service import state
from pipeline.service.settings import Settings
from pipeline.service.values import Bootstrap, Duration, Topic, parse_json_map
from training.federated.names import DATA, MODELS, check_client, check_prefix, check_training
from training.federated.strategies import Name

_Json = Annotated[dict[str, Any], NoDecode, BeforeValidator(parse_json_map)]
_Folder = Annotated[Path, AfterValidator(state.expanded)]
_DAY: Final = 24 * 3600


class AggregatorSettings(Settings):
    """What an aggregator needs besides the settings of every training."""

    aggregation_rounds: int = Field(15, ge=1, le=100_000, description="rounds, 1 to 100000")
    min_data: int = Field(1000, ge=0, description="messages that a client must have at least")
    agg_strategy: Name = Field("FedAvg", description="FedAvg, FedAdagrad, FedAdam or FedYogi")
    data_restriction: _Json = Field({}, description="what the restrictions of the data must equal, as JSON")
    model_logger_topic: Topic = Field(MODELS, description="the topic where trainings are announced")
    federated_string_id: Annotated[str, AfterValidator(check_training)] = Field(
        "0", description="the part of topics' names that is this training's"
    )
    federated_prefix: Annotated[str, AfterValidator(check_prefix)] = Field(
        "FED", description="the beginning of the names of its topics"
    )
    federated_clients: int = Field(1, ge=1, le=1000, description="clients that must join at first, 1 to 1000")
    federated_updates: int = Field(1, ge=1, le=1000, description="clients that must answer a round")
    federated_joining: Duration = Field(
        10, ge=0, le=_DAY, description="how long more clients may join before the first round, up to 24h"
    )
    federated_deadline: Duration = Field(
        600, ge=0.1, le=7 * _DAY, description="how long a round waits for clients, 100ms to 168h"
    )
    agg_eta: float = Field(0.1, gt=0, le=1000, description="the server's learning rate, above 0")
    agg_beta1: float | None = Field(
        None, ge=0, lt=1, description="the decay of the mean change; unset: 0.9, and 0 for FedAdagrad"
    )
    agg_beta2: float = Field(0.99, ge=0, lt=1, description="the decay of its square, 0 to less than 1")
    agg_tau: float = Field(0.001, gt=0, le=1000, description="how far the server adapts, above 0")


class WorkerSettings(Settings):
    """The settings of a worker, read from the environment."""

    data_bootstrap_servers: Bootstrap = Field(description="the owner's Kafka, such as kafka:9092")
    model_bootstrap_servers: Bootstrap = Field(description="the cloud's Kafka, such as cloud:9092")
    data_control_topic: Topic = Field(DATA, description="the topic of the owner's control messages")
    model_logger_topic: Topic = Field(MODELS, description="the topic where trainings are announced")
    client: str = Field("", description="this client's name; unset: a random one, kept in CLIENTFOLDER")
    clientfolder: _Folder = Field(
        default_factory=lambda: state.default() / "federated",
        description="the folder with samples and what has been answered, such as /var/lib/streamlens",
    )
    modelage: Duration = Field(
        _DAY, ge=0, le=366 * _DAY, description="age up to which trainings from before the start are joined"
    )
    datakafkaconfig: _Json = Field(
        {}, repr=False, description="a JSON object passed to librdkafka, for the owner's Kafka"
    )
    modelkafkaconfig: _Json = Field({}, repr=False, description="the same, for the cloud's Kafka")
    cachememory: int = Field(
        2**30, ge=0, description="bytes of samples that are kept in memory; more are mapped from the disk"
    )
    jobmemory: int = Field(
        0, ge=0, description="bytes of memory that training may use, besides mapped samples; 0: all there is"
    )

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.client:
            check_client(self.client)
        return self
