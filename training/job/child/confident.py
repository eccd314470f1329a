"""Labels for samples without one: the classes that a model is sure of."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from training.code.child.execute import UserError

_NEAR: Final = 1e-3


def probabilities(outputs: NDArray[Any], *, are_logits: bool = False) -> NDArray[np.float64]:
    """Return the probability of each class, shape (n, classes), for a model's outputs, shape (n, outputs).

    A single output is the probability of the second of two classes. Logits, and logarithms of probabilities,
    are turned into probabilities. Raises UserError for a model without classes.
    """
    found = np.asarray(outputs, np.float64)
    if found.ndim != 2:
        raise UserError(
            f"the model's outputs have the shape {found.shape}: expected one number per class, as only models"
            " that tell classes apart can label samples"
        )
    if found.shape[1] == 1:
        if are_logits or found.min(initial=0) < 0 or found.max(initial=0) > 1:
            found = 1 / (1 + np.exp(-np.clip(found, -500, 500)))
        return np.concatenate([1 - found, found], axis=1)
    is_whole = np.abs(found.sum(1) - 1) < _NEAR
    if are_logits or found.min(initial=0) < 0 or not is_whole.all():
        found = np.exp(found - found.max(1, keepdims=True))
        found /= found.sum(1, keepdims=True)
    return found


def check_classes_told_apart(loss: str, *, is_so: bool) -> None:
    """Raise UserError unless a model with this loss tells classes apart."""
    if not is_so:
        raise UserError(
            f"unsupervised: the model's loss {loss} is not one of classes: only models that tell classes"
            " apart can label samples: train this one without unsupervised"
        )


def confident(chances: NDArray[np.float64], confidence: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the places of the samples whose top probability is at least `confidence`, and their classes."""
    with np.errstate(invalid="ignore"):
        places = np.flatnonzero(chances.max(1, initial=0) >= confidence)
    return places, chances[places].argmax(1)


def as_labels(classes: NDArray[np.intp], like: NDArray[Any], count: int) -> NDArray[Any]:
    """Return classes, of `count`, as labels such as those of other samples: numbers, or one-hot rows.

    Raises UserError if these are neither.
    """
    size = int(np.prod(like.shape[1:]))
    if size == 1:
        return classes.astype(like.dtype).reshape(len(classes), *like.shape[1:])
    if size == count:
        return np.eye(count, dtype=like.dtype)[classes].reshape(len(classes), *like.shape[1:])
    raise UserError(f"a label has {size} numbers, but the model {count} classes: expected 1 or {count}")
