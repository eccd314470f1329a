"""Whether samples suit a model, checked before the training with a reason that names the sample."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.code.child.execute import UserError
from training.job.child.classes import loss_name


def suitable(model: Any, features: NDArray[Any], labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the arrays as the model takes them. Raises UserError with what does not fit."""
    inputs, outputs = model.inputs, model.outputs
    if len(inputs) != 1 or len(outputs) != 1:
        raise UserError(
            f"the model has {len(inputs)} inputs and {len(outputs)} outputs: expected one of each, as samples"
            " have one array and one label"
        )
    features = shaped(features, tuple(inputs[0].shape[1:]))
    if loss_name(model).startswith("sparse"):
        check_classes(labels, int(outputs[0].shape[-1]))
    return features, labels


def shaped(features: NDArray[Any], expected: tuple[int | None, ...]) -> NDArray[Any]:
    """Return features in the shape that the model expects, if they have as many numbers."""
    found = features.shape[1:]
    fits = len(found) == len(expected) and all(
        size in (None, other) for size, other in zip(expected, found, strict=True)
    )
    if fits:
        return features
    if None not in expected and int(np.prod(found)) == int(np.prod([size or 0 for size in expected])):
        return features.reshape(len(features), *(size or 0 for size in expected))
    raise UserError(f"the samples have the shape {_words(found)}, but the model expects {_words(expected)}")


def check_classes(labels: NDArray[Any], classes: int) -> None:
    """Raise UserError for a label that is not the number of a class."""
    flat = np.asarray(labels).reshape(len(labels), -1)
    if flat.shape[1] != 1:
        raise UserError(
            f"a label has {flat.shape[1]} numbers, but the model's loss expects one, the number of a class"
        )
    column = flat[:, 0]
    wrong = np.flatnonzero(~((column >= 0) & (column < classes) & (column == np.floor(column))))
    if len(wrong):
        raise UserError(
            f"the labels of {len(wrong)} of {len(column)} samples, such as {column[wrong[0]]:g}, are not"
            f" numbers of classes: expected 0 to {classes - 1}, as the model has {classes} outputs"
        )


def _words(shape: tuple[int | None, ...]) -> str:
    return " x ".join("any" if size is None else str(size) for size in shape) or "of a single number"
