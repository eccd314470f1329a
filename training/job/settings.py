"""The job's settings: Kafka-ML's variables, and ours."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from pipeline.service import state
from pipeline.service.values import Bootstrap, Topic, parse_json_map
from training.federated.settings import AggregatorSettings

_Arguments = Annotated[dict[str, Any], NoDecode, BeforeValidator(parse_json_map)]
_Folder = Annotated[Path, AfterValidator(state.expanded)]


class JobSettings(AggregatorSettings):
    """The settings of a training job, read from the environment."""

    bootstrap_servers: Bootstrap = Field(description="Kafka's address, such as kf1-service:19092")
    result_url: str = Field(
        pattern=r"^https?://\S+/results/\d+$",
        description="the result in the training service, such as http://training:8080/results/1",
    )
    result_token: SecretStr = Field(
        SecretStr(""), description="the token that the training service accepts for this result"
    )
    result_certificate: Path | None = Field(
        None, description="the file with the only certificate to accept from the training service (PEM)"
    )
    result_id: int = Field(ge=1, description="the number of the result")
    control_topic: Topic = Field("KAFKA_ML_CONTROL_TOPIC", description="the topic of control messages")
    deployment_id: int = Field(ge=1, description="the deployment whose control message the job waits for")
    batch: int = Field(ge=1, description="samples per step")
    kwargs_fit: _Arguments = Field(description='arguments of fit as JSON, such as {"epochs": 5}')
    kwargs_val: _Arguments = Field({}, description="arguments of evaluate as JSON")
    conf_mat_config: bool = Field(False, description="true: make a confusion matrix")
    case: int = Field(
        1,
        ge=1,
        le=9,
        description="Kafka-ML's kind of training: 1, a single model; 2, the same on a stream; 3, a chain; 5,"
        " federated",
    )
    stream_since: datetime | None = Field(
        None, description="a stream is read from this time on, such as 2026-01-31T12:00:00Z; unset: all of it"
    )
    stream_timeout: int = Field(
        60_000, ge=-1, description="ms without messages after which a stream ends; -1: it never does"
    )
    monitoring_metric: str = Field("", description="the validation's metric that makes a new result")
    change: Literal["up", "down"] | None = Field(None, description="how that metric improves")
    improvement: float = Field(
        0.05, ge=0, allow_inf_nan=False, description="by how much it must, for a new result"
    )
    unsupervised: bool = Field(False, description="true: train on unlabelled samples, too")
    unsupervised_rounds: int = Field(5, ge=0, description="most rounds with unlabelled samples")
    confidence: float = Field(
        0.9, ge=0, le=1, description="least probability of a label that the model gives to a sample"
    )
    framework: Literal["tf", "pth"] = Field("tf", description="tf or pth")
    control_since: datetime | None = Field(
        None, description="control messages before this time are ignored, such as 2026-01-31T12:00:00Z"
    )
    model_name: str = Field("model", description="the model's name, a folder in MODELSTORE")
    autoserve: bool = Field(False, description="true: new versions are served at once, not candidates")
    random_split: bool = Field(
        False, description="true: samples for validation and test are chosen at random"
    )
    seed: int = Field(0, ge=0, description="of all random numbers: the same one repeats a training")
    modelstore: _Folder | None = Field(
        None,
        description="the folder that TensorFlow Serving reads; unset: the training service adds versions",
    )
    cachememory: int = Field(
        2**30, ge=0, description="bytes of samples that are kept in memory; more are mapped from the disk"
    )
    jobmemory: int = Field(
        0, ge=0, description="bytes of memory that fitting may use, besides mapped samples; 0: all there is"
    )
    jobthreads: int = Field(
        0, ge=0, le=1024, description="threads that compute; 0: as many as there are processors"
    )
    jobfolder: _Folder | None = Field(
        None,
        description="the folder with the samples and checkpoints of jobs, such as /var/lib/streamlens/jobs;"
        " by default jobs in STATEFOLDER",
    )

    @property
    def kept(self) -> Path:
        """The folder of this job."""
        return (self.jobfolder or self.statefolder / "jobs") / f"result-{self.result_id}"

    @property
    def identity(self) -> str:
        """What a restarted job has in common with what another has left, and no other job has."""
        since = self.control_since.isoformat() if self.control_since else ""
        return f"{self.result_id} {self.deployment_id} {since} {self.seed}"
