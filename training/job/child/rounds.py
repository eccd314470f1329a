"""Rounds of semi-supervised training: the model labels the samples that it is sure of, and trains on them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from training.job.child.confident import as_labels, confident, probabilities
from training.job.child.parts import Part

_BLOCK: Final = 4_096  # samples that are predicted at a time
_FEATURES: Final = "round.npy"

Predict = Callable[[NDArray[Any]], NDArray[Any]]


class Rounds:
    """Takes samples out of the unlabelled ones, shape (n, …), in at most `most` rounds.

    `note` is what an earlier process has kept with its checkpoint. The taken samples are in the file
    `taken.npz` here; all features are in memory if they take at most `memory` bytes, otherwise in a file.
    """

    def __init__(
        self,
        labelled: Part,
        unlabelled: NDArray[Any],
        note: Mapping[str, Any],
        *,
        most: int,
        confidence: float,
        memory: int,
    ) -> None:
        self._labelled = labelled
        self._unlabelled = unlabelled
        self._most = most
        self._confidence = confidence
        self._memory = memory
        self._file = Path("taken.npz")
        self.figures: list[dict[str, Any]] = [dict(each) for each in note.get("rounds", ())]
        """Of each round: how many samples were `taken`, how many are `left`, and the `metrics` after it."""
        self.number = int(note.get("round", 0))
        """How many rounds have taken samples."""
        self._taken = np.empty(0, np.intp)
        self.training = labelled
        """What the model is trained on now."""
        if self.number:
            with np.load(self._file, allow_pickle=False) as saved:
                taken = sum(each["taken"] for each in self.figures)
                self._add(saved["places"][:taken], saved["labels"][:taken])

    @property
    def note(self) -> dict[str, Any]:
        """What is kept with a checkpoint."""
        return {"round": self.number, "rounds": self.figures}

    def next(
        self, predict: Predict, metrics: Mapping[str, float | None], *, are_logits: bool = False
    ) -> bool:
        """Take the samples that the model is sure of; return whether to train again.

        `metrics` are those after the training so far.
        """
        if self.figures:
            self.figures[-1]["metrics"] = dict(metrics)
        left = np.setdiff1d(np.arange(len(self._unlabelled)), self._taken)
        if self.number >= self._most or not len(left):
            return False
        places, labels = self._sure(left, predict, are_logits=are_logits)
        self.figures.append({"taken": len(places), "left": len(left) - len(places), "metrics": {}})
        if not len(places):
            return False
        before = self.training[1][len(self._labelled[1]) :]
        self.number += 1
        everything = np.concatenate([self._taken, places]), np.concatenate([before, labels])
        self._keep(*everything)
        self._add(*everything)
        return True

    def _sure(
        self, left: NDArray[np.intp], predict: Predict, *, are_logits: bool
    ) -> tuple[NDArray[np.intp], NDArray[Any]]:
        found, labels = list[NDArray[np.intp]](), list[NDArray[Any]]()
        for start in range(0, len(left), _BLOCK):
            some = left[start : start + _BLOCK]
            chances = probabilities(predict(np.asarray(self._unlabelled[some])), are_logits=are_logits)
            places, classes = confident(chances, self._confidence)
            found.append(some[places])
            labels.append(as_labels(classes, self._labelled[1], chances.shape[1]))
        return np.concatenate(found), np.concatenate(labels)

    def _keep(self, places: NDArray[np.intp], labels: NDArray[Any]) -> None:
        """Write the taken samples in order: those of a checkpoint of an earlier round are the first."""
        part = self._file.with_suffix(".part.npz")
        np.savez(part, places=places, labels=labels)
        part.replace(self._file)

    def _add(self, places: NDArray[np.intp], labels: NDArray[Any]) -> None:
        self._taken = places
        features, own = self._labelled
        shape = (len(features) + len(places), *features.shape[1:])
        if int(np.prod(shape)) * features.dtype.itemsize <= self._memory:
            joined = np.empty(shape, features.dtype)
        else:
            Path(_FEATURES).unlink(missing_ok=True)  # the process may still map the one before
            joined = np.lib.format.open_memmap(_FEATURES, "w+", features.dtype, shape)
        joined[: len(features)] = features
        for start in range(0, len(places), _BLOCK):
            some = places[start : start + _BLOCK]
            at = len(features) + start
            joined[at : at + len(some)] = self._unlabelled[some]
        self.training = joined, np.concatenate([own, labels])


def rounds(
    request: Mapping[str, Any], labelled: Part, unlabelled: NDArray[Any], note: Mapping[str, Any]
) -> Rounds:
    """Return the rounds that a request asks for: none, unless it is for semi-supervised training."""
    asked = request.get("unsupervised") or {"rounds": 0, "confidence": 1.0}
    return Rounds(
        labelled,
        unlabelled,
        note,
        most=asked["rounds"],
        confidence=asked["confidence"],
        memory=request["memory"],
    )


def unlabelled(request: Mapping[str, Any], data: Path, like: NDArray[Any]) -> NDArray[Any]:
    """Return the unlabelled samples of a request: none, unless it is for semi-supervised training."""
    if not request.get("unsupervised"):
        return np.empty((0, *like.shape[1:]), like.dtype)
    found: NDArray[Any] = np.load(data / "unlabelled.npy", mmap_mode="r")
    return found
