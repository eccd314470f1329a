"""Which samples get a label of the model's."""

import numpy as np
import pytest

from training.code.child.execute import UserError
from training.job.child import classes, torch_arrays
from training.job.child.confident import as_labels, check_classes_told_apart, confident, probabilities


def test_probabilities_stay_as_they_are() -> None:
    outputs = np.array([[0.1, 0.9], [0.5, 0.5]], np.float32)

    assert np.allclose(probabilities(outputs), outputs)
    assert np.allclose(probabilities(outputs[:, 1:]), outputs), "one output: of the second class"


def test_logits_and_logarithms_become_probabilities() -> None:
    chances = np.array([[0.2, 0.3, 0.5], [0.7, 0.2, 0.1]])

    assert np.allclose(probabilities(np.log(chances)), chances)
    assert np.allclose(probabilities(np.log(chances) + 7, are_logits=True), chances)
    assert np.allclose(
        probabilities(np.array([[3.0, 0.0], [0.0, 0.0]])), [[0.9526, 0.0474], [0.5, 0.5]], atol=1e-4
    )
    assert np.allclose(probabilities(np.array([[0.0], [2.0]])), [[0.5, 0.5], [0.1192, 0.8808]], atol=1e-4)
    assert np.allclose(probabilities(np.array([[0.5]]), are_logits=True), [[0.3775, 0.6225]], atol=1e-4)


def test_models_without_classes_are_refused() -> None:
    with pytest.raises(UserError, match="tell classes apart"):
        probabilities(np.zeros((3, 2, 2)))


def test_regressions_cannot_label_samples() -> None:
    assert classes.is_of_classes("sparse_categorical_crossentropy")
    assert not classes.is_of_classes("mean_squared_error")
    assert torch_arrays.is_of_classes("crossentropy")
    assert not torch_arrays.is_of_classes("mse")
    check_classes_told_apart("crossentropy", is_so=True)
    with pytest.raises(UserError, match="the model's loss mse is not one of classes"):
        check_classes_told_apart("mse", is_so=False)


def test_samples_that_the_model_is_sure_of_are_taken() -> None:
    chances = np.array([[0.95, 0.05], [0.5, 0.5], [0.1, 0.9], [np.nan, np.nan]])

    places, classes = confident(chances, 0.9)

    assert (places.tolist(), classes.tolist()) == ([0, 2], [0, 1])
    assert confident(chances[:0], 0.9)[0].tolist() == []


def test_classes_become_labels_like_the_others() -> None:
    classes = np.array([2, 0])

    assert as_labels(classes, np.zeros((1, 1), np.uint8), 3).tolist() == [[2], [0]]
    assert as_labels(classes, np.zeros(0, np.int64), 3).tolist() == [2, 0]
    assert as_labels(classes, np.zeros((1, 3), np.float32), 3).tolist() == [[0, 0, 1], [1, 0, 0]]
    with pytest.raises(UserError, match="a label has 2 numbers, but the model 3 classes"):
        as_labels(classes, np.zeros((1, 2)), 3)
