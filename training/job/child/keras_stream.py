"""The task that trains a Keras model on a stream. It speaks only to its parent."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from training.code.child.report import Report
from training.job.child import keras_fit
from training.job.child.checkpoint import Checkpoint
from training.job.child.classes import loss_name
from training.job.child.conversation import Conversation
from training.job.child.parts import Part
from training.job.child.suitable import are_classes, check_ends, shaped


def main(request: dict[str, Any], report: Report) -> None:
    """Train the model in the file `model` on what the parent puts into `data`, until it ends this process."""
    report.send("started")
    keras.utils.set_random_seed(request["seed"] % 2**32)
    Conversation(Path(request["data"]), KerasLearner(request)).run(report)


class KerasLearner:
    """A Keras model, from its checkpoint if there is one."""

    def __init__(self, request: dict[str, Any]) -> None:
        self._request = request
        self._model, self._program = keras_fit.built(Path(request["model"]))
        check_ends(self._model)
        keras_fit.check_loss(self._model, request)
        self._checkpoint = Checkpoint(Path("checkpoint.npz"))
        self._checkpoint.restore(self._model)
        self.note = self._checkpoint.note
        self.time = self._checkpoint.time
        self.are_logits = keras_fit.logits(self._model)

    def suits(self, features: NDArray[Any], labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Return features as the model takes them, and which labels it can have."""
        features = shaped(features, tuple(self._model.inputs[0].shape[1:]))
        if loss_name(self._model).startswith("sparse"):
            return features, are_classes(labels, int(self._model.outputs[0].shape[-1]))
        return features, np.ones(len(labels), bool)

    def fit(self, training: Part, validation: Part) -> dict[str, float]:
        """Train for all epochs; return the last one's metrics."""
        arguments = keras_fit.arguments_of(self._request)
        found = self._model.fit(
            x=training[0],
            y=training[1],
            batch_size=self._request["batch"],
            validation_data=validation if len(validation[0]) else None,
            verbose=0,
            **arguments,
        )
        return {name: float(values[-1]) for name, values in found.history.items()}

    def predict(self, features: NDArray[Any]) -> NDArray[Any]:
        """Return the outputs."""
        return keras_fit.predicted(self._model, self._request, features)

    def save(self, time: float, note: dict[str, Any]) -> None:
        """Write a checkpoint. Raises OSError if the disk is full."""
        self._checkpoint.write(self._model, {}, time, note)

    def export(self) -> dict[str, Any]:
        """Write the model in both formats."""
        keras_fit.write(self._model, self._program, self._request["pictures"])
        return {"program": self._program}
