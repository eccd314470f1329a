"""The confusion matrix, for models that tell classes apart."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_MOST_CLASSES: Final = 1_000
_BINARY: Final = ("binary_crossentropy", "binarycrossentropy", "binary_focal", "hinge")


def confusion_matrix(model: Any, predictions: Any, labels: NDArray[Any]) -> list[list[int]] | None:
    """Return counts, one row per real class and one column per predicted one; None for other models."""
    if not isinstance(predictions, np.ndarray) or predictions.ndim != 2:
        return None
    return matrix(predictions, labels, loss_name(model))


def matrix(predictions: NDArray[Any], labels: NDArray[Any], loss: str) -> list[list[int]] | None:
    """Return the matrix for predictions, shape (n, outputs), and labels: classes, or one-hot rows."""
    count = predictions.shape[1]
    if count > _MOST_CLASSES:
        return None
    flat = np.asarray(labels).reshape(len(labels), -1)
    if count == 1:
        if flat.shape[1] != 1 or not loss.startswith(_BINARY):
            return None
        count, real, predicted = 2, flat[:, 0] > 0.5, predictions[:, 0] > 0.5
    elif flat.shape[1] == 1 and "sparse" in loss:
        real, predicted = flat[:, 0], predictions.argmax(1)
    elif flat.shape[1] == count and "crossentropy" in loss:
        real, predicted = flat.argmax(1), predictions.argmax(1)
    else:
        return None
    found = np.zeros((count, count), np.int64)
    np.add.at(found, (real.astype(np.int64), predicted.astype(np.int64)), 1)
    return [[int(number) for number in row] for row in found]


def is_of_classes(loss: str) -> bool:
    """Return whether a loss, by its name, is one of models that tell classes apart."""
    return "crossentropy" in loss or loss.startswith(_BINARY)


def loss_name(model: Any) -> str:
    """Return the name of a model's loss, such as `sparse_categorical_crossentropy`."""
    loss = model.loss
    name = loss if isinstance(loss, str) else getattr(loss, "name", None) or getattr(loss, "__name__", "")
    return str(name).lower()
