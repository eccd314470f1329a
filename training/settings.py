"""The training service's settings."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from pipeline.service import state
from pipeline.service.settings import Settings
from pipeline.service.values import Address, Bootstrap, Duration, Port, Topic
from training.database.engine import checked_url

_Url = Annotated[SecretStr, AfterValidator(checked_url)]
_Folder = Annotated[Path, AfterValidator(state.expanded)]


class TrainingSettings(Settings):
    """The settings of the training service, read from the environment."""

    kafkaport: Bootstrap = Field(description="Kafka's address, such as kf1-service:19092")
    controltopic: Topic = Field(
        "KAFKA_ML_CONTROL_TOPIC", description="the topic on which sinks say where their data are"
    )
    controlage: Duration = Field(
        600,
        ge=0,
        le=366 * 24 * 3600,
        description="age up to which control messages from before a deployment are used, 0s to 8784h",
    )
    displayport: Port = Field(Address("", 8080), description="where the service listens, such as :8080")
    backendurl: str = Field(
        "",
        pattern=r"^(https?://[^\s/?#]+(/[^\s?#]*)?)?$",
        description="where jobs reach the service, such as http://training:8080; by default this machine",
    )
    databaseurl: _Url = Field(
        SecretStr(""),
        description="the database, such as postgresql://user:password@host/name; by default SQLite",
    )
    datafolder: _Folder = Field(
        default_factory=lambda: state.default() / "training",
        description="the folder with the database, trained models and logs, such as /var/lib/streamlens",
    )
    modelstore: _Folder = Field(
        default_factory=lambda: state.default() / "models",
        description="the folder with the versions of models that TensorFlow Serving reads",
    )
    runner: Literal["process"] = Field("process", description="process: jobs run on this machine")
    maxruns: int = Field(1, ge=1, le=1000, description="most jobs at a time, 1 to 1000; others wait")

    @property
    def url(self) -> str:
        """Where jobs reach the service, without a slash at the end."""
        if self.backendurl:
            return self.backendurl.rstrip("/")
        host = self.displayport.host
        return f"http://{Address('127.0.0.1' if host in _EVERY else host, self.displayport.port)}"


_EVERY = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 # hosts to listen on
