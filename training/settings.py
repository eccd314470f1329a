"""The training service's settings."""

from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from pipeline.access.rootpath import parse_rootpath
from pipeline.access.settings import AccessSettings
from pipeline.service import state
from pipeline.service.values import (
    EVERY_INTERFACE,
    Address,
    Duration,
    JsonMap,
    Topic,
    parse_json_map,
)
from training.database.engine import checked_url
from training.quantity import amount

PATHS: Final = frozenset(
    {
        *("models", "configurations", "frameworksInConfiguration", "distributedConfiguration"),
        *("deployments", "results", "results_metrics", "inferences", "datasources", "versions", "example"),
    }
)
"""The first parts of the API's paths, besides /api and /ws."""


def parse_own_rootpath(text: object) -> object:
    """Return a root path as `parse_rootpath` does, but none that begins like a path of the API."""
    path = parse_rootpath(text)
    if isinstance(path, str) and (first := path.split("/", 2)[1:2]) and first[0] in PATHS:
        raise ValueError(f"expected another path: /{first[0]} is an address of the service itself")
    return path


_Url = Annotated[SecretStr, AfterValidator(checked_url)]
_Folder = Annotated[Path, AfterValidator(state.expanded)]


def _quantity(text: str) -> str:
    amount(text)
    return text


def _resources(found: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    if not found.keys() <= {"requests", "limits"}:
        raise ValueError(f"expected requests and limits, found {', '.join(sorted(found))}")
    for each in found.values():
        if "memory" in each:
            amount(each["memory"])
    return found


Quantity = Annotated[str, AfterValidator(_quantity)]
"""A number of bytes as Kubernetes writes it, such as `4Gi`."""

Resources = Annotated[
    dict[str, dict[str, str]], NoDecode, BeforeValidator(parse_json_map), AfterValidator(_resources)
]
"""The requests and limits of a container, as Kubernetes writes them."""


class TrainingSettings(AccessSettings):
    """The settings of the training service, read from the environment."""

    controltopic: Topic = Field(
        "KAFKA_ML_CONTROL_TOPIC", description="the topic on which sinks say where their data are"
    )
    controlage: Duration = Field(
        600,
        ge=0,
        le=366 * 24 * 3600,
        description="age up to which control messages from before a deployment are used, 0s to 8784h",
    )
    rootpath: Annotated[str, BeforeValidator(parse_own_rootpath)] = Field(
        "", description="the path under which a proxy publishes the page, such as /training"
    )
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
    keepversions: int = Field(
        5,
        ge=1,
        le=10_000,
        description="versions of each model that are kept, 1 to 10000; and as many candidates",
    )
    basemodels: JsonMap = Field(
        {}, description='models that are served from elsewhere, such as {"imagenet": "/models/imagenet"}'
    )
    runner: Literal["process", "kubernetes"] = Field(
        "process", description="process: jobs run on this machine; kubernetes: in pods"
    )
    maxruns: int = Field(1, ge=1, le=1000, description="most jobs at a time, 1 to 1000; others wait")
    endruns: bool = Field(
        False, description="true: jobs end with the service, and go on with the next one; for RUNNER=process"
    )
    jobimages: JsonMap = Field(
        {"tf": "streamlens/training", "pth": "streamlens/training-torch"},
        description="images of pods, for TensorFlow (tf) and PyTorch (pth)",
    )
    jobresources: Resources = Field(
        {"requests": {"cpu": "1", "memory": "2Gi"}, "limits": {"memory": "4Gi"}},
        description="requests and limits of a training's pod",
    )
    inferenceresources: Resources = Field(
        {"requests": {"cpu": "250m", "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
        description="requests and limits of an inference's pods",
    )
    jobstorage: Quantity = Field("10Gi", description="the size of a training's volume")
    jobstorageclass: str = Field(
        "", description="the StorageClass of these volumes; by default the cluster's"
    )

    jobpriorityclass: str = Field(
        "", description="the PriorityClass of trainings' pods; by default the cluster's"
    )

    @property
    def url(self) -> str:
        """Where jobs reach the service, without a slash at the end."""
        if self.backendurl:
            return self.backendurl.rstrip("/")
        scheme = "http" if self.tlscert is None else "https"
        host = self.displayport.host
        return (
            f"{scheme}://{Address('127.0.0.1' if host in EVERY_INTERFACE else host, self.displayport.port)}"
        )

    @property
    def own_certificate(self) -> str:
        """The file with the only certificate that jobs accept, or empty: they check it as usual.

        Without `BACKENDURL`, they come to an address of this machine, which the certificate does not name.
        """
        return "" if self.tlscert is None or self.backendurl else str(self.tlscert.absolute())

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names under which the service answers, besides its usual ones."""
        host = urlsplit(self.url).hostname or ""
        return (*self.allowedhosts, host) if host else self.allowedhosts
