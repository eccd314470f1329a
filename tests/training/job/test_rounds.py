"""Rounds with unlabelled samples; the model is a table."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from training.job.child import rounds as module
from training.job.child.rounds import Rounds

LABELLED = np.array([[0.0], [1.0]], np.float32), np.array([[0], [1]], np.uint8)
MORE = np.arange(10, 20, dtype=np.float32)[:, None]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "_BLOCK", 3)
    return tmp_path


def sure_of(*numbers: int) -> Any:
    """Return a model that is sure of the class of these numbers: 1 if they are odd."""

    def predict(features: NDArray[Any]) -> NDArray[Any]:
        found = np.full((len(features), 2), 0.5)
        for row, (number,) in zip(found, features, strict=True):
            if number in numbers:
                row[:] = (0.05, 0.95) if number % 2 else (0.95, 0.05)
        return found

    return predict


def made(note: dict[str, Any] | None = None, **more: Any) -> Rounds:
    given = {"most": 5, "confidence": 0.9, "memory": 2**20, **more}
    return Rounds(LABELLED, MORE, note or {}, **given)


def trained_on(found: Rounds) -> dict[float, int]:
    features, labels = found.training
    return {float(number): int(label) for (number,), (label,) in zip(features, labels, strict=True)}


@pytest.mark.parametrize("memory", [2**20, 0], ids=["memory", "disk"])
def test_each_round_takes_the_samples_that_the_model_is_sure_of(memory: int) -> None:
    found = made(memory=memory)
    assert trained_on(found) == {0: 0, 1: 1}

    assert found.next(sure_of(11, 16), {"loss": 2.0})
    assert trained_on(found) == {0: 0, 1: 1, 11: 1, 16: 0}
    assert found.next(sure_of(11, 16, 18), {"loss": 1.0})
    assert trained_on(found) == {0: 0, 1: 1, 11: 1, 16: 0, 18: 0}
    assert found.training[1].dtype == np.uint8
    assert not found.next(sure_of(11), {"loss": 0.5})

    assert found.figures == [
        {"taken": 2, "left": 8, "metrics": {"loss": 1.0}},
        {"taken": 1, "left": 7, "metrics": {"loss": 0.5}},
        {"taken": 0, "left": 7, "metrics": {}},
    ]


def test_rounds_end_when_there_were_enough() -> None:
    found = made(most=1)

    assert found.next(sure_of(11), {})
    assert not found.next(sure_of(12), {"loss": 1.0})
    assert found.figures == [{"taken": 1, "left": 9, "metrics": {"loss": 1.0}}]
    assert not made(most=0).next(sure_of(11), {})


def test_rounds_end_when_nothing_is_left() -> None:
    found = made()

    assert found.next(sure_of(*range(10, 20)), {})
    assert not found.next(sure_of(), {})
    assert [each["left"] for each in found.figures] == [0]


def test_a_killed_training_continues_in_its_round() -> None:
    before = made()
    before.next(sure_of(11), {})
    first = {"round": 1, "rounds": [dict(each) for each in before.figures]}
    before.next(sure_of(13), {"loss": 1.0})

    again, then = made(first), made(before.note)

    assert trained_on(again) == {0: 0, 1: 1, 11: 1}, "killed before the checkpoint of the second round"
    before.next(sure_of(15), {"loss": 0.5})
    assert trained_on(made(first)) == {0: 0, 1: 1, 11: 1}, "the disk was full after the first round"
    assert trained_on(then) == {0: 0, 1: 1, 11: 1, 13: 1}
    assert then.next(sure_of(11, 13, 14), {"loss": 0.5})
    assert trained_on(then) == {0: 0, 1: 1, 11: 1, 13: 1, 14: 0}


def test_other_trainings_have_no_rounds(folder: Path) -> None:
    more = module.unlabelled({}, folder, LABELLED[0])
    found = module.rounds({"memory": 0}, LABELLED, more, {})

    assert more.shape == (0, 1)
    assert not found.next(sure_of(), {})
    assert found.training is LABELLED
    assert found.figures == []


def test_the_unlabelled_samples_are_those_in_the_folder(folder: Path) -> None:
    np.save(folder / "unlabelled.npy", MORE)
    request = {"memory": 2**20, "unsupervised": {"rounds": 1, "confidence": 0.9}}

    found = module.rounds(request, LABELLED, module.unlabelled(request, folder, LABELLED[0]), {})

    assert found.next(sure_of(12), {})
    assert trained_on(found) == {0: 0, 1: 1, 12: 0}
