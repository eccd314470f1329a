"""What a restarted job finds."""

from pathlib import Path

import numpy as np
import pytest

from training.control.message import ControlMessage
from training.data.ranges import Range
from training.data.samples import Samples, split
from training.job.samples import Kept

MESSAGE = ControlMessage(3, (Range("digits", 0, 0, 10),), "RAW", {"data_type": "uint8"}, 0.2, 0.1)


def kept(folder: Path, identity: str = "this job") -> Kept:
    found = Kept(folder, identity)
    found.prepare()
    return found


def saved(folder: Path) -> Kept:
    found = kept(folder)
    found.model.touch()
    samples = Samples(np.arange(20).reshape(10, 2), np.arange(10))
    assert found.save(MESSAGE, split(samples, 0.2, 0.1, seed=1), samples) == {
        "training": 7,
        "test": 1,
        "validation": 2,
    }
    return found


def test_a_restarted_job_finds_its_samples(tmp_path: Path) -> None:
    saved(tmp_path)

    assert kept(tmp_path).load() == (MESSAGE, {"training": 7, "test": 1, "validation": 2})
    features, labels = (np.load(tmp_path / f"data/{name}.npy") for name in ("features", "labels"))
    assert (features[:, 0] == 2 * labels).all()
    assert sorted(labels) == list(range(10))


def test_those_of_another_job_or_half_of_them_are_not_used(tmp_path: Path) -> None:
    assert kept(tmp_path).load() is None
    found = saved(tmp_path)
    assert kept(tmp_path, "another job").load() is None

    (tmp_path / "data/samples.json").write_text("{")
    assert found.load() is None


def test_nothing_of_another_job_is_left_for_this_one(tmp_path: Path) -> None:
    (saved(tmp_path).work / "checkpoint.npz").touch()
    found = kept(tmp_path, "another job")
    found.clear()

    assert sorted(each.name for each in tmp_path.rglob("*")) == ["data", "work"]


def test_messages_without_labels_cannot_be_trained_on(tmp_path: Path) -> None:
    samples = Samples(np.zeros((10, 2)), None)
    with pytest.raises(ValueError, match="the messages have no labels"):
        kept(tmp_path).save(MESSAGE, split(samples, 0, 0, seed=1), samples)


def test_nothing_is_left(tmp_path: Path) -> None:
    saved(tmp_path / "job").remove()

    assert list(tmp_path.iterdir()) == []
