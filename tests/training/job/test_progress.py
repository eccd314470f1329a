"""What a training reports while it runs."""

import json
import os

import numpy as np

from training.code.child.report import Report
from training.job.child import progress as module
from training.job.child.parts import parts
from training.job.child.progress import Progress


def reports(pipe: int) -> list[dict[str, object]]:
    lines = os.read(pipe, 65536).splitlines()
    return [json.loads(line)["value"] for line in lines]


def test_metrics_are_kept_per_epoch_and_reported() -> None:
    reading, writing = os.pipe()
    progress = Progress(Report(writing), 3, {"loss": [2.0]})

    progress.begin(1)
    progress.keep(1, {"loss": 1.0, "val_loss": float("nan")})
    progress.report()

    history = {"train_metrics": {"loss": [2.0, 1.0]}, "val_metrics": {"loss": [None, None]}}
    assert progress.history() == history
    assert progress.metrics["loss"] == [2.0, 1.0]
    assert reports(reading) == [{"state": "training", "epoch": 2, "epochs": 3, "metrics": history}]
    os.close(reading)
    os.close(writing)


def test_epochs_without_a_validation_have_no_value() -> None:
    progress = Progress(Report(1), 3, {})
    for epoch, more in enumerate([{}, {"val_loss": 3.0}, {}]):
        progress.keep(epoch, {"loss": 2.0 - epoch, **more})

    assert progress.history() == {
        "train_metrics": {"loss": [2.0, 1.0, 0.0]},
        "val_metrics": {"loss": [None, 3.0, None]},
    }


def test_steps_are_reported_from_time_to_time() -> None:
    reading, writing = os.pipe()
    progress = Progress(Report(writing), 3, {})
    assert progress.history() == {"train_metrics": {}, "val_metrics": None}

    progress.begin(1)
    for step in range(1, 100):
        progress.step(step, 200)
    progress._reported = -module._EVERY
    progress.step(100, None)

    base = {"state": "training", "epoch": 1, "epochs": 3}
    assert reports(reading) == [{**base, "step": 1, "steps": 200}, {**base, "step": 100}]
    os.close(reading)
    os.close(writing)


def test_samples_are_for_training_then_test_then_validation() -> None:
    found = parts(np.arange(10), np.arange(10, 20), {"training": 7, "test": 1, "validation": 2})

    assert {name: (x.tolist(), y.tolist()) for name, (x, y) in found.items()} == {
        "training": ([0, 1, 2, 3, 4, 5, 6], [10, 11, 12, 13, 14, 15, 16]),
        "test": ([7], [17]),
        "validation": ([8, 9], [18, 19]),
    }
