"""What the restricted process reports is checked."""

import io
from typing import Any

import pytest
from PIL import Image

from tests.clock import Clock
from training.code.program import CodeError
from training.job.left import Left
from training.job.outcome import outcome, progress
from training.job.picture import draw

GOOD = {
    "train_metrics": {"loss": [1, 0.5]},
    "val_metrics": None,
    "test_metrics": {"loss": [float("nan")]},
    "training_time": 1.5,
    "confusion_matrix": [[1, 2], [3, 4]],
    "program": ["i", "c"],
}


def test_an_outcome_is_what_is_uploaded() -> None:
    found = outcome(GOOD)

    assert found.program == ("i", "c")
    assert found.fields() == {
        "train_metrics": {"loss": [1, 0.5]},
        "val_metrics": None,
        "test_metrics": {"loss": [None]},
        "training_time": 1.5,
        "confusion_matrix": [[1, 2], [3, 4]],
    }


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {},
        {**GOOD, "train_metrics": [1]},
        {**GOOD, "train_metrics": {"loss": 1}},
        {**GOOD, "train_metrics": {"loss": ["x"]}},
        {**GOOD, "training_time": []},
        {**GOOD, "confusion_matrix": [[1, 2]]},
        {**GOOD, "confusion_matrix": []},
        {**GOOD, "confusion_matrix": [["x"]]},
        {**GOOD, "program": ["i"]},
        {**GOOD, "confusion_matrix": [[1] * 1001] * 1001},
    ],
    ids=range(12),
)
def test_false_outcomes_are_rejected(wrong: Any) -> None:
    with pytest.raises(CodeError, match="it wrote into the report of its own process"):
        outcome(wrong)


def test_what_is_missing_or_no_count_is_left_out() -> None:
    found = outcome({**GOOD, "training_time": None, "confusion_matrix": [[1, -2], [3, 4]], "program": None})

    assert (found.training_time, found.matrix, found.program) == (0, None, None)
    assert outcome({**GOOD, "confusion_matrix": None}).matrix is None
    assert outcome({**GOOD, "train_metrics": {"loss": [None, 1]}}).train_metrics == {"loss": [None, 1.0]}


def test_progress_is_numbers() -> None:
    value = {"state": "training", "epoch": 1, "epochs": 5, "step": True, "steps": -1, "other": 1}

    assert progress(value) == {"state": "training", "epoch": 1, "epochs": 5}
    assert progress({"state": "failed", "epoch": "1"}) == {"state": "training"}
    assert progress({"state": "exporting"}) == {"state": "exporting"}


def test_the_time_left_follows_from_the_speed() -> None:
    clock = Clock()
    left = Left(clock.monotonic)
    begin = {"epoch": 2, "epochs": 10}

    assert left.seconds({}) is None
    assert left.seconds(begin) is None
    clock.now += 10
    assert left.seconds({"epoch": 4, "epochs": 10}) == 30
    clock.now += 5
    assert left.seconds({"epoch": 5, "epochs": 10}) == 25
    clock.now += 1
    assert left.seconds({"epoch": 10, "epochs": 10}) == 0


@pytest.mark.parametrize("classes", [1, 2, 10, 300], ids=["1", "2", "10", "300"])
def test_a_matrix_is_drawn(classes: int) -> None:
    matrix = [[int(row == column) for column in range(classes)] for row in range(classes)]

    image = Image.open(io.BytesIO(draw(matrix)))

    assert image.size == (2000, 1600)
    assert image.mode == "RGBA"
    assert image.getpixel((5, 5)) == (0, 0, 0, 0)
    assert image.getpixel((221, 161)) == (8, 48, 107, 255)


def test_the_figures_of_rounds_are_kept_with_the_result() -> None:
    rounds = [{"taken": 3, "left": 1, "metrics": {"loss": 0.5, "val_loss": float("nan")}}]

    found = outcome({**GOOD, "rounds": rounds})

    shown = [{"taken": 3, "left": 1, "metrics": {"loss": 0.5, "val_loss": None}}]
    assert found.fields()["progress"] == {"rounds": shown}
    assert progress({"rounds": rounds})["rounds"] == shown


@pytest.mark.parametrize(
    "rounds",
    [3, [1], [{}], [{"taken": -1, "left": 0, "metrics": {}}], [{"taken": 1, "left": 0, "metrics": 1}]],
)
def test_rounds_that_the_users_code_wrote_are_refused(rounds: object) -> None:
    with pytest.raises(CodeError):
        outcome({**GOOD, "rounds": rounds})
    with pytest.raises(CodeError):
        progress({"rounds": rounds})
