"""The confusion matrix, and whether samples suit a model."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from training.code.child.execute import UserError
from training.job.child.classes import confusion_matrix, loss_name, matrix
from training.job.child.suitable import check_classes, shaped, suitable

PREDICTIONS = np.array([[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.5, 0.4, 0.1], [0.0, 0.1, 0.9]])
EXPECTED = [[1, 0, 0], [1, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    "labels",
    [np.array([0, 1, 1, 2], np.uint8), np.array([[0], [1], [1], [2]]), np.array([0.0, 1.0, 1.0, 2.0])],
    ids=["flat", "column", "float"],
)
def test_rows_are_real_and_columns_predicted_classes(labels: Any) -> None:
    assert matrix(PREDICTIONS, labels, "sparse_categorical_crossentropy") == EXPECTED


def test_labels_may_be_one_hot() -> None:
    labels = np.eye(3)[[0, 1, 1, 2]]

    assert matrix(PREDICTIONS, labels, "categorical_crossentropy") == EXPECTED


def test_one_output_may_tell_two_classes_apart() -> None:
    labels, predictions = np.array([[0], [1], [1]]), np.array([[0.2], [0.4], [0.9]])

    assert matrix(predictions, labels, "binary_crossentropy") == [[1, 0], [1, 1]]


def test_a_regression_has_no_matrix() -> None:
    assert matrix(np.array([[0.2], [0.4]]), np.array([[0.1], [0.5]]), "mean_squared_error") is None
    assert matrix(PREDICTIONS, np.zeros((4, 3)), "mse") is None
    assert confusion_matrix(SimpleNamespace(loss="mse"), PREDICTIONS[..., None], np.zeros(4)) is None
    assert confusion_matrix(SimpleNamespace(loss="mse"), [PREDICTIONS], np.zeros(4)) is None


def test_losses_have_names() -> None:
    assert loss_name(SimpleNamespace(loss="MSE")) == "mse"
    assert loss_name(SimpleNamespace(loss=SimpleNamespace(name="huber"))) == "huber"
    assert loss_name(SimpleNamespace(loss=test_losses_have_names)) == "test_losses_have_names"
    assert loss_name(SimpleNamespace(loss=None)) == ""


@pytest.mark.parametrize(
    ("found", "expected", "shape"),
    [
        ((5, 8, 8), (8, 8), (5, 8, 8)),
        ((5, 64), (8, 8), (5, 8, 8)),
        ((5, 8, 8), (8, 8, 1), (5, 8, 8, 1)),
        ((5, 9, 7, 3), (None, None, 3), (5, 9, 7, 3)),
        ((5,), (1,), (5, 1)),
    ],
    ids=["same", "flat", "channel", "any", "number"],
)
def test_samples_take_the_models_shape(found: Any, expected: Any, shape: Any) -> None:
    assert shaped(np.zeros(found), expected).shape == shape


def test_samples_of_another_size_are_rejected() -> None:
    with pytest.raises(UserError, match="the samples have the shape 5 x 5, but the model expects any x 8"):
        shaped(np.zeros((2, 5, 5)), (None, 8))
    with pytest.raises(UserError, match="the shape of a single number, but the model expects 8"):
        shaped(np.zeros(2), (8,))


@pytest.mark.parametrize("wrong", [10, -1, 0.5, float("nan")], ids=["high", "low", "half", "nan"])
def test_labels_beyond_the_classes_are_rejected(wrong: float) -> None:
    with pytest.raises(UserError, match=r"labels of 1 of 3 samples, such as .*: expected 0 to 9"):
        check_classes(np.array([0, wrong, 9]), 10)


def test_several_inputs_are_rejected() -> None:
    model = SimpleNamespace(inputs=[1, 2], outputs=[1])
    with pytest.raises(UserError, match="the model has 2 inputs and 1 outputs"):
        suitable(model, np.zeros(1), np.zeros(1))


def test_models_with_many_classes_have_no_matrix() -> None:
    model = SimpleNamespace(loss="sparse_categorical_crossentropy")

    assert confusion_matrix(model, np.zeros((1, 1000)), np.zeros(1)) is not None
    assert confusion_matrix(model, np.zeros((1, 1001)), np.zeros(1)) is None


def test_suitable_samples_are_shaped_and_their_labels_checked() -> None:
    model = SimpleNamespace(
        inputs=[SimpleNamespace(shape=(None, 2, 2))],
        outputs=[SimpleNamespace(shape=(None, 3))],
        loss="sparse_categorical_crossentropy",
    )

    features, labels = suitable(model, np.zeros((5, 4)), np.array([0, 1, 2, 0, 1]))
    assert (features.shape, labels.shape) == ((5, 2, 2), (5,))
    with pytest.raises(UserError, match="labels of 1 of 5 samples, such as 3,"):
        suitable(model, np.zeros((5, 4)), np.array([0, 1, 2, 3, 1]))
    with pytest.raises(UserError, match="a label has 3 numbers, but the model's loss expects one"):
        suitable(model, np.zeros((5, 4)), np.eye(3)[[0, 1, 2, 0, 1]])

    model.loss = "mse"
    assert suitable(model, np.zeros((5, 4)), np.array([7.5] * 5))[1][0] == 7.5
