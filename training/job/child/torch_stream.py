"""The task that trains a PyTorch model on a stream. It speaks only to its parent."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from training.code.child import torch_model
from training.code.child.report import Report
from training.code.program import parted
from training.job.child import torch_arrays
from training.job.child.conversation import Conversation
from training.job.child.parts import Part
from training.job.child.progress import Progress
from training.job.child.suitable import are_classes
from training.job.child.torch_checkpoint import TorchCheckpoint
from training.job.child.torch_fit import Training, save_model

_NOT_OF_STREAMS: Final = ("drop_last",)  # a mini-batch may be smaller than a batch


def main(request: dict[str, Any], report: Report) -> None:
    """Train the model whose code is in the file `model` on what the parent puts into `data`."""
    report.send("started")
    torch.manual_seed(request["seed"])
    Conversation(Path(request["data"]), TorchLearner(request, report)).run(report)


class TorchLearner:
    """A PyTorch model and its optimizer, from their checkpoint if there is one."""

    def __init__(self, request: dict[str, Any], report: Report) -> None:
        arguments = {name: value for name, value in request["fit"].items() if name not in _NOT_OF_STREAMS}
        self._program = parted(Path(request["model"]).read_text())
        imports, code = self._program
        self._model = torch_model.build({"imports": imports, "code": code})
        self._training = Training(self._model, {}, {**request, "fit": arguments})
        self._epochs = arguments["max_epochs"]
        self._report = report
        self._optimizer = self._model.optimizer()
        self._checkpoint = TorchCheckpoint(Path("checkpoint.pt"))
        self._checkpoint.restore(self._model, self._optimizer, self._training.device)
        self.note = self._checkpoint.note
        self.time = self._checkpoint.time
        self.are_logits = self._training.loss_name in torch_arrays.LOGITS

    def suits(self, features: NDArray[Any], labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Return the features, and which labels the model can have."""
        classes = self._training.classes(features, labels)
        return features, np.ones(len(labels), bool) if classes is None else are_classes(labels, classes)

    def fit(self, training: Part, validation: Part) -> dict[str, float]:
        """Train for all epochs; return the last one's metrics."""
        self._training.samples = {"training": training, "validation": validation}
        progress = Progress(self._report, self._epochs, {})
        self._training.train(self._optimizer, progress)
        return {name: values[-1] for name, values in progress.metrics.items()}

    def predict(self, features: NDArray[Any]) -> NDArray[Any]:
        """Return the outputs."""
        return self._training.predict(features)

    def save(self, time: float, note: dict[str, Any]) -> None:
        """Write a checkpoint. Raises OSError if the disk is full."""
        self._checkpoint.write(self._model, self._optimizer, {}, time, note)

    def export(self) -> dict[str, Any]:
        """Write the state dict."""
        save_model(self._model)
        return {"program": self._program}
