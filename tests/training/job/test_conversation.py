"""The restricted process on a stream; the model is a stand-in."""

import errno
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from training.code.child.execute import UserError
from training.data.samples import Samples
from training.job.child.conversation import Conversation
from training.job.child.parts import Part
from training.job.stream.training import put


class Model:
    """Learns how many samples it was trained on; it is sure of features above 5, whose class is 1."""

    are_logits = False

    def __init__(self, note: dict[str, Any] | None = None) -> None:
        self.note = note or {}
        self.time = 0.0
        self.saved = dict[str, Any]()
        self.fitted = list[tuple[list[Any], list[Any], int]]()

    def suits(self, features: NDArray[Any], labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        return features * 1.0, np.asarray(labels).reshape(len(labels), -1)[:, 0] < 2

    def fit(self, training: Part, validation: Part) -> dict[str, float]:
        self.fitted.append((training[0].ravel().tolist(), training[1].ravel().tolist(), len(validation[0])))
        return {"loss": 1 / len(self.fitted)}

    def predict(self, features: NDArray[Any]) -> NDArray[Any]:
        return np.where(features.reshape(len(features), -1)[:, :1] > 5, [[0.05, 0.95]], [[0.5, 0.5]])

    def save(self, time: float, note: dict[str, Any]) -> None:
        assert time >= self.time
        self.saved = json.loads(json.dumps(note))

    def export(self) -> dict[str, Any]:
        return {"program": ["i", "c"]}


class FakeReport:
    def __init__(self) -> None:
        self.answers = list[dict[str, Any]]()

    def progress(self, value: dict[str, Any]) -> None:
        self.answers.append(value["answer"])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def samples(features: list[float], labels: list[int] | None) -> Samples:
    return Samples(
        np.array(features, np.float32).reshape(-1, 1),
        None if labels is None else np.array(labels, np.uint8).reshape(-1, 1),
    )


def talked(folder: Path, model: Model, *questions: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the answers to questions."""
    (folder / "questions").write_text("".join(json.dumps(each) + "\n" for each in questions))
    report = FakeReport()
    Conversation(folder, model).run(report)  # type: ignore[arg-type]
    return report.answers


def fit(number: int, folder: str = "labelled", **more: Any) -> dict[str, Any]:
    return {"do": "fit", "number": number, "folder": folder, **more}


def test_a_mini_batch_is_trained_on_and_kept(folder: Path) -> None:
    put(folder / "labelled", samples([1, 2, 3], [0, 7, 1]), samples([4, 5], [1, 0]))
    model = Model()

    hello, answer, exported = talked(folder, model, fit(1), {"do": "export"})

    assert hello == {"number": 0, "refused": 0, "recent": []}
    assert answer == {"number": 1, "refused": 1, "recent": [{"loss": 1.0}]}
    assert model.fitted == [([1, 3], [0, 1], 2)]
    assert exported.keys() == {"program", "training_time"}
    assert talked(folder, Model(model.saved)) == [answer], "a new process says the same"


def test_a_mini_batch_without_a_label_of_the_models_is_not_trained_on(folder: Path) -> None:
    put(folder / "labelled", samples([1], [7]), samples([], []))
    model = Model()

    answers = talked(folder, model, fit(1))

    assert answers[1] == {"number": 1, "refused": 1, "recent": []}
    assert model.fitted == []
    assert model.saved["number"] == 1


def test_unlabelled_samples_get_the_models_label_if_it_is_sure(folder: Path) -> None:
    put(folder / "labelled", samples([1, 2], [0, 1]), samples([3], [1]))
    put(folder / "unlabelled", samples([6, 1, 8], None), samples([], None))
    model = Model()

    answers = talked(folder, model, fit(1), fit(2, "unlabelled", confidence=0.9))

    assert answers[2] == {"number": 2, "refused": 1, "recent": [{"loss": 0.5}]}
    assert model.fitted[1] == ([6, 8], [1, 1], 1), "with the validation of the labelled ones"
    assert model.saved["label"] == ["|u1", [1]]


def test_without_a_sample_that_it_is_sure_of_nothing_is_trained(folder: Path) -> None:
    put(folder / "labelled", samples([1, 2], [0, 1]), samples([], []))
    put(folder / "unlabelled", samples([1, 2], None), samples([], None))

    answers = talked(folder, Model(), fit(1), fit(2, "unlabelled", confidence=0.9))

    assert answers[2] == {"number": 2, "refused": 2, "recent": []}


def test_without_room_for_a_checkpoint_it_ends(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder / "labelled", samples([1, 2], [0, 1]), samples([], []))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Model, "save", full)
    with pytest.raises(UserError, match="no room for a checkpoint: No space left on device"):
        talked(folder, Model(), fit(1))
