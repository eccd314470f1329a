from training.job import recent
from training.job.recent import Recent


def test_the_metrics_of_mini_batches_are_uploaded_as_those_of_epochs() -> None:
    found = Recent([{"loss": 2.0, "val_loss": 3.0}])
    found.add({"loss": float("nan"), "accuracy": 0.5})

    assert found.history() == {
        "train_metrics": {"loss": [2.0, None], "accuracy": [None, 0.5]},
        "val_metrics": {"loss": [3.0, None]},
    }
    assert found.last() == {"loss": None, "accuracy": 0.5}
    assert Recent(found.listed()).history() == found.history()


def test_before_the_first_mini_batch_there_are_none() -> None:
    assert Recent().last() == {}
    assert Recent().history() == {"train_metrics": {}, "val_metrics": None}


def test_only_the_newest_are_kept() -> None:
    found = Recent({"loss": float(number)} for number in range(recent.KEPT + 5))

    losses = found.history()["train_metrics"]["loss"]
    assert (len(losses), losses[0], losses[-1]) == (recent.KEPT, 5.0, recent.KEPT + 4)
