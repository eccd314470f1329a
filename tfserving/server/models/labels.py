"""Version labels: names for versions of a model, which may move only to loaded versions."""

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
    """Return the labels that a config asks for, to replace the current ones.

    A label must point to an available version; with `allow_unavailable`, this applies only to a label that
    moves. Raises ServingError (FAILED_PRECONDITION) if a label does not.
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
