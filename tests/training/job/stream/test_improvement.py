import pytest

from training.job.stream.improvement import Improvement

UP = Improvement("accuracy", "up", 0.05)
DOWN = Improvement("loss", "down", 0.0)
METRICS = {"loss": 0.5, "accuracy": 0.8, "val_loss": 0.6, "val_accuracy": 0.75}


def test_the_value_is_the_validations() -> None:
    assert UP.value(METRICS) == 0.75
    assert DOWN.value(METRICS) == 0.6
    assert UP.value({**METRICS, "val_accuracy": None}) is None
    assert UP.value({"loss": 0.5, "accuracy": 0.8}) is None, "too few samples for a validation"


def test_a_metric_that_the_model_does_not_have_is_named() -> None:
    with pytest.raises(ValueError, match="'f1': the model has loss, accuracy"):
        Improvement("f1", "up", 0).value(METRICS)


@pytest.mark.parametrize(
    ("improvement", "value", "best", "is_better"),
    [
        (UP, 0.1, None, True),
        (UP, 0.8, 0.75, True),
        (UP, 0.79, 0.75, False),
        (UP, 0.7, 0.75, False),
        (DOWN, 0.5, 0.6, True),
        (DOWN, 0.6, 0.6, False),
        (DOWN, 0.7, 0.6, False),
    ],
)
def test_when_a_value_is_better(
    improvement: Improvement, value: float, best: float | None, is_better: bool
) -> None:
    assert improvement.is_better(value, best) is is_better
