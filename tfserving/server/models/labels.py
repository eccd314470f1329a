"""Version labels: names for versions of a model, moved only to what is loaded."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from tfserving.server.errors import Code, ServingError
from tfserving.server.models.config import ModelConfig

Labels: TypeAlias = Mapping[str, Mapping[str, int]]
"""The versions by model and label."""


def assign(
    models: Iterable[ModelConfig],
    current: Labels,
    is_available: Callable[[str, int], bool],
    *,
    allow_unavailable: bool = False,
) -> Labels:
    """Return the labels that a config asks for, which take the place of the current ones.

    A label has to point at a version that is available; with `allow_unavailable` only one that is moved has
    to. Raises ServingError (FAILED_PRECONDITION) where one does not.
    """
    labels: dict[str, dict[str, int]] = {}
    for model in models:
        for label, version in model.labels.items():
            is_moved = current.get(model.name, {}).get(label, version) != version
            if (is_moved or not allow_unavailable) and not is_available(model.name, version):
                raise ServingError(
                    Code.FAILED_PRECONDITION,
                    f"Request to assign label to version {version} of model {model.name},"
                    " which is not currently available for inference",
                )
        labels[model.name] = dict(model.labels)
    return labels
