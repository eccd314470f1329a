"""Samples as PyTorch models take them, and what a loss says about labels. Without PyTorch itself."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from training.job.child.classes import matrix

CLASSES: Final = frozenset({"crossentropy", "nll", "multimargin"})
"""Losses whose labels are the numbers of classes, or a number per class."""

_BINARY: Final = frozenset({"bce", "binarycrossentropy"})
LOGITS: Final = frozenset({"bcewithlogits", "binarycrossentropywithlogits"})
"""Losses of models with an output whose probability is its sigmoid."""

_NUMBERS: Final = frozenset({"mse", "l1", "smoothl1", "huber", "poissonnll", "gaussiannll", "softmargin"})
_FEATURES_PER_PICTURE: Final = (2, 3)  # axes


def is_of_classes(loss: str) -> bool:
    """Return whether a loss, by its short name, is one of models that tell classes apart."""
    return loss in CLASSES | _BINARY | LOGITS


def loss_name(loss: Any) -> str:
    """Return a loss's short name: `crossentropy` for `CrossEntropyLoss` and for `cross_entropy`."""
    name = getattr(loss, "__name__", None) or type(loss).__name__
    return str(name).lower().replace("_", "").removesuffix("loss")


def features(samples: NDArray[Any], *, keeps_integers: bool) -> NDArray[Any]:
    """Return features as numbers of 32 bits, or as integers of 64 bits for models that look them up.

    As in Kafka-ML, samples with two or three axes, (h, w) or (h, w, c), become (c, h, w), and bytes in them
    become 0 to 1.
    """
    axes = samples.ndim - 1
    if axes in _FEATURES_PER_PICTURE:
        samples = samples[:, None] if axes == 2 else np.moveaxis(samples, 3, 1)
        if samples.dtype == np.uint8:
            return np.ascontiguousarray(samples, np.float32) / np.float32(255)
    kind = np.int64 if keeps_integers and samples.dtype.kind in "iub" else np.float32
    return np.ascontiguousarray(samples, kind)


def labels(samples: NDArray[Any], loss: str) -> NDArray[Any]:
    """Return labels as a loss takes them: integers of 64 bits, shape (n,), or numbers of 32 bits."""
    is_single = int(np.prod(samples.shape[1:])) == 1
    if loss in CLASSES:
        is_number = is_single
    elif loss in _BINARY | LOGITS | _NUMBERS:
        is_number = False
    else:
        is_number = is_single and samples.dtype.kind in "iub"
    if is_number:
        return np.ascontiguousarray(samples.reshape(len(samples)), np.int64)
    return np.ascontiguousarray(samples, np.float32)


def confusion_matrix(predictions: NDArray[Any], expected: NDArray[Any], loss: str) -> list[list[int]] | None:
    """Return counts, one row per real class and one column per predicted one; None for other models."""
    if predictions.ndim == 1:
        predictions = predictions[:, None]
    if predictions.ndim != 2:
        return None
    if loss in CLASSES:
        is_single = int(np.prod(expected.shape[1:])) == 1
        keras = "sparse_categorical_crossentropy" if is_single else "categorical_crossentropy"
    elif loss in _BINARY | LOGITS:
        keras = "binary_crossentropy"
        if loss in LOGITS:
            predictions = (predictions > 0).astype(np.float32)
    else:
        return None
    return matrix(predictions, expected, keras)
