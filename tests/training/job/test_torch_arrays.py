"""Samples for PyTorch models, without PyTorch."""

from typing import Any

import numpy as np
import pytest

from training.job.child import torch_arrays
from training.job.child.torch_arrays import confusion_matrix, loss_name


class CrossEntropyLoss:
    pass


def binary_cross_entropy_with_logits() -> None:
    pass


def test_losses_have_one_name_as_classes_and_as_functions() -> None:
    assert loss_name(CrossEntropyLoss()) == "crossentropy"
    assert loss_name(binary_cross_entropy_with_logits) == "binarycrossentropywithlogits"


@pytest.mark.parametrize(
    ("shape", "kind", "expected", "largest"),
    [
        ((2, 4), np.uint8, (2, 4), 255),
        ((2, 4, 3), np.uint8, (2, 1, 4, 3), 1),
        ((2, 4, 3), np.float64, (2, 1, 4, 3), 255),
        ((2, 4, 5, 3), np.uint8, (2, 3, 4, 5), 1),
        ((2, 4, 5, 3), np.int32, (2, 3, 4, 5), 255),
        ((2,), np.float16, (2,), 255),
        ((2, 1, 2, 3, 4), np.uint8, (2, 1, 2, 3, 4), 255),
    ],
)
def test_features_are_numbers_of_32_bits_and_pictures_have_channels_first(
    shape: tuple[int, ...], kind: Any, expected: tuple[int, ...], largest: float
) -> None:
    found = torch_arrays.features(np.full(shape, 255, kind), keeps_integers=False)

    assert found.shape == expected
    assert found.dtype == np.float32
    assert found.max() == largest
    assert found.flags.c_contiguous


def test_channels_move_first() -> None:
    picture = np.arange(24, dtype=np.uint8).reshape(1, 2, 4, 3)

    found = torch_arrays.features(picture, keeps_integers=False)

    np.testing.assert_allclose(found[0, 1], picture[0, :, :, 1] / 255, rtol=1e-6)


def test_models_that_look_up_get_integers() -> None:
    found = torch_arrays.features(np.ones((2, 4), np.uint8), keeps_integers=True)
    assert found.dtype == np.int64
    assert torch_arrays.features(np.ones((2, 4)), keeps_integers=True).dtype == np.float32


@pytest.mark.parametrize(
    ("labels", "loss", "shape", "kind"),
    [
        (np.ones((3, 1), np.uint8), "crossentropy", (3,), np.int64),
        (np.ones((3, 1), np.float64), "nll", (3,), np.int64),
        (np.ones((3, 5), np.uint8), "crossentropy", (3, 5), np.float32),
        (np.ones((3, 1), np.uint8), "mse", (3, 1), np.float32),
        (np.ones((3, 1), np.uint8), "bcewithlogits", (3, 1), np.float32),
        (np.ones((3, 1), np.uint8), "myown", (3,), np.int64),
        (np.ones((3, 1), np.float64), "myown", (3, 1), np.float32),
        (np.ones((3, 2), np.uint8), "myown", (3, 2), np.float32),
        (np.ones(3, bool), "myown", (3,), np.int64),
    ],
)
def test_labels_are_as_the_loss_takes_them(labels: Any, loss: str, shape: tuple[int, ...], kind: Any) -> None:
    found = torch_arrays.labels(labels, loss)

    assert found.shape == shape
    assert found.dtype == kind


PREDICTIONS = np.array([[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.5, 0.4, 0.1], [0.0, 0.1, 0.9]])
EXPECTED = [[1, 0, 0], [1, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    ("predictions", "labels", "loss", "expected"),
    [
        (PREDICTIONS, np.array([[0], [1], [0 + 1], [2]]), "crossentropy", EXPECTED),
        (PREDICTIONS, np.eye(3)[[0, 1, 1, 2]], "crossentropy", EXPECTED),
        (np.array([0.2, 0.4, 0.9]), np.array([[0], [1], [1]]), "bce", [[1, 0], [1, 1]]),
        (np.array([[-2.0], [-1.0], [0.1]]), np.array([[0], [1], [1]]), "bcewithlogits", [[1, 0], [1, 1]]),
        (np.array([[0.2], [0.4]]), np.array([[0.1], [0.5]]), "mse", None),
        (PREDICTIONS[:, :, None], np.zeros((4, 1)), "crossentropy", None),
    ],
    ids=["classes", "one-hot", "binary", "logits", "regression", "pixels"],
)
def test_models_that_tell_classes_apart_have_a_matrix(
    predictions: Any, labels: Any, loss: str, expected: list[list[int]] | None
) -> None:
    assert confusion_matrix(predictions, labels, loss) == expected
