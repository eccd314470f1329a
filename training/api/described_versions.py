"""What the API answers about versions of models, for its description in OpenAPI."""

from typing import Any, Final, Literal

from pydantic import BaseModel, Field
from pydantic.config import JsonDict

_TIME: Final[JsonDict] = {"format": "date-time"}


class Version(BaseModel):
    """A version of a model: a SavedModel. What was not made here has only the first two fields."""

    version: int
    state: Literal["candidate", "served", "old"] = Field(description="served: the newest that servers read")
    result: int | None
    deployment: int | None
    created: str | None = Field(json_schema_extra=_TIME)
    promoted: str | None = Field(json_schema_extra=_TIME)
    parent: int | None = Field(description="the version that was served when this one was made")
    seed: int | None
    offsets: str | None = Field(description="its data: topic:partition:start:end, separated by commas")
    input_format: str | None
    metrics: dict[str, Any] | None


class WholeVersion(Version):
    """All that is known about a version."""

    model: str | None
    input_config: dict[str, Any] | None
    imports: str | None
    code: str | None


class ModelVersions(BaseModel):
    """A model with its versions, the newest first."""

    model: str
    served: int | None = Field(description="the version that is served")
    versions: list[Version]
