"""The configuration of models: the messages in `--model_config_file`, and their validation."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tensorflow_serving.config import model_server_config_pb2

from tfserving.server import text_proto
from tfserving.server.errors import invalid
from tfserving.server.flags import Flags
from tfserving.server.models.policy import Policy

PLATFORM = "tensorflow"
MODEL_TYPE_TENSORFLOW = 1

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9.]*://")


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """The configuration of one model: the folder of its versions, which to serve, and their labels."""

    name: str
    base_path: Path
    policy: Policy
    labels: Mapping[str, int]
    platform: str


def first(flags: Flags) -> Any:
    """Return the initial ModelServerConfig: from the file if there is one, otherwise for the single model.

    Raises ServingError if the file cannot be read.
    """
    if flags.model_config_file:
        return read(Path(flags.model_config_file))
    return single(flags.model_name, flags.model_base_path)


def read(path: Path) -> Any:
    """Return the ModelServerConfig in a text file; raise ServingError if it cannot be read."""
    return text_proto.read(path, model_server_config_pb2.ModelServerConfig())


def single(name: str, base_path: str) -> Any:
    """Return the ModelServerConfig that serves the latest version of one model."""
    config = model_server_config_pb2.ModelServerConfig()
    path = base_path if _SCHEME.match(base_path) else str(Path(base_path).absolute())
    config.model_config_list.config.add(name=name, base_path=path, model_platform=PLATFORM)
    return config


def models(config: Any) -> dict[str, ModelConfig]:
    """Return the models of a ModelServerConfig by name; the platforms are not checked yet.

    Raises ServingError (INVALID_ARGUMENT) for a duplicate name, a relative path, or a missing platform.
    """
    listed = config.model_config_list.config
    names = Counter(entry.name for entry in listed)
    for name, count in names.items():
        if count > 1:
            raise invalid(f"Illegal to list model {name} multiple times in config list")
    for entry in listed:
        if not _SCHEME.match(entry.base_path) and not entry.base_path.startswith("/"):
            raise invalid(
                f"Expected model {entry.name} to have an absolute path or URI;"
                f" got base_path()={entry.base_path}"
            )
    return {entry.name: _model(entry) for entry in listed}


def check_unchanged_platforms(before: Mapping[str, ModelConfig], models: Mapping[str, ModelConfig]) -> None:
    """Raise ServingError (INVALID_ARGUMENT) if the platform of a model has changed."""
    for name in before.keys() & models.keys():
        old, new = before[name].platform, models[name].platform
        if old != new:
            raise invalid(
                f"Illegal to change a model's platform. For model {name} platform was {old}"
                f" and new platform requested is {new}"
            )


def check_platforms(models: Iterable[ModelConfig]) -> None:
    """Raise ServingError (INVALID_ARGUMENT) if a model is for a platform other than TensorFlow."""
    for model in models:
        if model.platform != PLATFORM:
            raise invalid(f"Model {model.name} requests unsupported platform {model.platform}")


def _model(entry: Any) -> ModelConfig:
    return ModelConfig(
        name=entry.name,
        base_path=Path(entry.base_path.removeprefix("file://")),
        policy=_policy(entry.model_version_policy),
        labels=dict(entry.version_labels),
        platform=_platform(entry),
    )


def _policy(policy: Any) -> Policy:
    choice = policy.WhichOneof("policy_choice")
    if choice == "all":
        return Policy(count=None)
    if choice == "specific":
        return Policy(count=None, only=frozenset(policy.specific.versions))
    return Policy(count=max(policy.latest.num_versions, 1))


def _platform(entry: Any) -> str:
    if entry.model_type and entry.model_platform:
        raise invalid(
            "Illegal setting both ModelServerConfig::model_type (deprecated)"
            " and ModelServerConfig::model_platform."
        )
    if entry.model_type == MODEL_TYPE_TENSORFLOW:
        return PLATFORM
    if entry.model_type:
        raise invalid(f"ModelServerConfig::model_type choice {entry.model_type} not supported.")
    if not entry.model_platform:
        raise invalid(
            "Illegal setting neither ModelServerConfig::model_type (deprecated)"
            " nor ModelServerConfig::model_platform."
        )
    return str(entry.model_platform)
