"""The task in the restricted process, in this process."""

import os
import sys
import threading
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from training.code.child.execute import UserError
from training.code.child.report import Report
from training.inference import wire
from training.inference.child import answer


class FakeReport:
    def __init__(self) -> None:
        self.sent = list[Any]()

    def send(self, kind: str, value: Any = None) -> None:
        self.sent.append((kind, value))

    def progress(self, value: Any) -> None:
        self.sent.append(value)


def asked(folder: Path, *questions: Any) -> tuple[list[Any], list[Any]]:
    """Return what the task answers, and what it reports."""
    names = {name: str(folder / name) for name in ("questions", "answers")}
    for name in names.values():
        os.mkfifo(name)
    report, found = FakeReport(), list[Any]()

    def ask() -> None:
        with Path(names["questions"]).open("wb") as there, Path(names["answers"]).open("rb") as back:
            for question in questions:
                wire.write(there, question)
                try:
                    read = wire.read(back, 10_000)
                    assert read is not None
                    found.append(read.tolist())
                except wire.WireError as error:
                    found.append(str(error))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        answer.main({"framework": "tf", **names}, cast("Report", report))
    finally:
        thread.join(5)
    return found, report.sent


@pytest.fixture(autouse=True)
def _framework(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer, "_MODULES", {"tf": "fake_framework", "pth": "no_such_framework"})


def with_module(monkeypatch: pytest.MonkeyPatch, load: Callable[[Any], Any]) -> None:
    framework = types.ModuleType("fake_framework")
    framework.load = load  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fake_framework", framework)


def test_it_answers_until_the_questions_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(_: Any) -> Any:
        return lambda rows: rows * 2

    with_module(monkeypatch, load)
    found, reports = asked(tmp_path, np.array([[1.0], [2.0]]), np.array([[3.0]]))

    assert found == [[[2.0], [4.0]], [[6.0]]]
    assert reports == [("started", None), {"loaded": True}]


def test_an_error_of_the_model_is_its_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def predict(rows: Any) -> Any:
        if rows[0] == 1:
            raise ValueError("no")
        if rows[0] == 2:
            raise UserError("line 3 of the code: no")
        return np.array(["text"]) if rows[0] == 3 else np.zeros(7)

    with_module(monkeypatch, lambda _: predict)
    found, _ = asked(tmp_path, *(np.array([each]) for each in (1, 2, 3, 4)))

    assert found == [
        "the code: ValueError: no",
        "line 3 of the code: no",
        "the model gave <U4 of shape (1,) for 1 samples: expected numbers, a row for each",
        "the model gave float64 of shape (7,) for 1 samples: expected numbers, a row for each",
    ]


def test_a_model_that_cannot_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: Any) -> Any:
        raise OSError("not an HDF5 file")

    def refuses(_: Any) -> Any:
        raise UserError("the model has 2 inputs")

    report = cast("Report", FakeReport())
    with_module(monkeypatch, fails)
    with pytest.raises(UserError, match="the trained model cannot be loaded: OSError: not an HDF5 file"):
        answer.main({"framework": "tf"}, report)
    with_module(monkeypatch, refuses)
    with pytest.raises(UserError, match="the model has 2 inputs"):
        answer.main({"framework": "tf"}, report)
    with pytest.raises(UserError, match="PyTorch is not installed here"):
        answer.main({"framework": "pth"}, report)


def test_several_outputs_are_several_answers() -> None:
    rows = np.array([[1.0], [2.0]])

    upper, own = answer._answers(lambda rows: (rows, rows[:, 0]), rows)
    (reason,) = answer._answers(lambda rows: (rows, rows[:1]), rows)

    assert not isinstance(upper, str)
    assert not isinstance(own, str)
    assert (upper.tolist(), own.tolist()) == ([[1.0], [2.0]], [1.0, 2.0])
    assert reason == "the model gave float64 of shape (1, 1) for 2 samples: expected numbers, a row for each"
