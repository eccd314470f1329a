"""Answers the parent's questions about a stream: trains on one mini-batch after the other."""

import json
import time
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from training.code.child.execute import UserError
from training.code.child.report import Report
from training.job.child.confident import as_labels, confident, probabilities
from training.job.child.parts import Part
from training.job.recent import Recent

QUESTIONS: Final = "questions"
_PARTS: Final = ("training", "validation")


class Learner(Protocol):
    """A model that is trained further and further."""

    note: dict[str, Any]
    """What was kept with the checkpoint; empty without one."""

    time: float
    """How long the trainings up to the checkpoint had taken, in s."""

    are_logits: bool
    """Whether outputs of `predict` are known to be logits."""

    def suits(self, features: NDArray[Any], labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Return features as the model takes them, and which labels it can have. Raises UserError."""

    def fit(self, training: Part, validation: Part) -> dict[str, float]:
        """Train on samples, of which there is one or more; return the metrics."""

    def predict(self, features: NDArray[Any]) -> NDArray[Any]:
        """Return the outputs, shape (n, …)."""

    def save(self, time: float, note: dict[str, Any]) -> None:
        """Write a checkpoint. Raises OSError if the disk is full."""

    def export(self) -> dict[str, Any]:
        """Write the model's files here; return `program`."""


class Conversation:
    """Takes questions from the pipe here, and arrays from folders in `data`.

    `{"do": "fit", "number": 7, "folder": "labelled"}` trains on the seventh mini-batch, and writes a
    checkpoint. With a `confidence`, the samples have no labels: those that the model is sure of get its
    label, and are trained on, with the validation of the labelled ones. `export` writes the model's files.
    """

    def __init__(self, data: Path, learner: Learner) -> None:
        self._data = data
        self._learner = learner
        self._recent = Recent(learner.note.get("recent", ()))
        self._about = {"number": learner.note.get("number", 0), "refused": learner.note.get("refused", 0)}
        self._label = learner.note.get("label")  # type and shape of a label
        self._time = learner.time

    def run(self, report: Report) -> None:
        """Answer until the process is ended."""
        with Path(QUESTIONS).open() as questions:
            report.progress({"answer": {**self._about, "recent": self._recent.listed()}})
            for line in questions:
                report.progress({"answer": self._answer(json.loads(line))})

    def _answer(self, question: dict[str, Any]) -> dict[str, Any]:
        if question["do"] == "export":
            return {**self._learner.export(), "training_time": round(self._time, 4)}
        begin = time.monotonic()
        folder, confidence = self._data / question["folder"], question.get("confidence")
        samples, refused = self._labelled(folder) if confidence is None else self._sure(folder, confidence)
        numbers = self._learner.fit(*samples) if len(samples[0][0]) else {}
        if numbers:
            self._recent.add(numbers)
        self._time += time.monotonic() - begin
        self._about = {"number": question["number"], "refused": refused}
        note = {**self._about, "recent": self._recent.listed(), "label": self._label}
        try:
            self._learner.save(self._time, note)
        except OSError as error:  # a message would be lost or used twice
            raise UserError(f"no room for a checkpoint: {error.strerror or error}") from None
        return {**self._about, "recent": self._recent.listed()[-1:] if numbers else []}

    def _labelled(self, folder: Path) -> tuple[tuple[Part, Part], int]:
        found, refused = list[Part](), 0
        for name in _PARTS:
            features, labels = (np.load(folder / f"{name}-{kind}.npy") for kind in ("features", "labels"))
            if not len(features):
                found.append((features, labels))
                continue
            features, is_good = self._learner.suits(features, labels)
            refused += int(np.count_nonzero(~is_good))
            found.append((features, labels) if is_good.all() else (features[is_good], labels[is_good]))
            self._label = [labels.dtype.str, list(labels.shape[1:])]
        return (found[0], found[1]), refused

    def _sure(self, folder: Path, confidence: float) -> tuple[tuple[Part, Part], int]:
        features = np.load(folder / "training-features.npy")
        kind, shape = self._label or ["<i8", []]
        like = np.empty((0, *shape), kind)
        features, _ = self._learner.suits(features, np.zeros((len(features), *shape), kind))
        chances = probabilities(self._learner.predict(features), are_logits=self._learner.are_logits)
        places, classes = confident(chances, confidence)
        training = features[places], as_labels(classes, like, chances.shape[1])
        (_, validation), _ = self._labelled(self._data / "labelled")
        return (training, validation), len(features) - len(places)
