"""The sidecar's settings."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from pipeline.service import state
from pipeline.service.settings import Settings
from pipeline.service.values import Duration, JsonMap


class SidecarSettings(Settings):
    """The settings of the sidecar, read from the environment."""

    trainingurl: str = Field(
        pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$",
        description="the training service, such as http://training-service:8080",
    )
    trainingtoken: SecretStr = Field(SecretStr(""), description="a token for the service, if it has users")
    servedfolder: Annotated[Path, AfterValidator(state.expanded)] = Field(
        description="the folder for the versions, which the model server reads, such as /trained"
    )
    basemodels: JsonMap = Field(
        {},
        description='models that the server has already: {"imagenet": "/models/imagenet"}',
    )
    pollinterval: Duration = Field(
        5, ge=0.1, le=3600, description="time between two looks at the service, 100ms to 1h"
    )
