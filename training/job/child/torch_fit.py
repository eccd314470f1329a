"""The task that trains a PyTorch model: it fits, evaluates and saves. It speaks only to its parent."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from ignite.engine import Events, create_supervised_evaluator, create_supervised_trainer
from numpy.typing import NDArray
from torch import nn

from training.code.child import torch_model
from training.code.child.execute import UserError, where
from training.code.child.reason import reason
from training.code.child.report import Report
from training.code.program import parted
from training.job.child import torch_arrays
from training.job.child.confident import check_classes_told_apart
from training.job.child.loader import Convert, Loader
from training.job.child.parts import Part, parts
from training.job.child.progress import Progress
from training.job.child.rounds import rounds, unlabelled
from training.job.child.suitable import check_classes
from training.job.child.torch_checkpoint import TorchCheckpoint

_MODEL: Final = "model.pth"
_TRAINER: Final = ("amp_mode", "deterministic", "gradient_accumulation_steps", "non_blocking", "scaler")
_EVALUATOR: Final = ("amp_mode", "non_blocking")


def main(request: dict[str, Any], report: Report) -> dict[str, Any]:
    """Train the model whose code is in the file `model` on the arrays in `data`; write its state dict."""
    report.send("started")
    data = Path(request["data"])
    imports, code = parted(Path(request["model"]).read_text())
    torch.manual_seed(request["seed"])
    model = torch_model.build({"imports": imports, "code": code})
    features, labels = (np.load(data / f"{name}.npy", mmap_mode="r") for name in ("features", "labels"))
    training = Training(model, parts(features, labels, request["sizes"]), request)
    training.try_one()
    more = unlabelled(request, data, features)
    report.progress({"state": "training"})

    begin = time.monotonic()
    checkpoint = TorchCheckpoint(Path("checkpoint.pt"))
    history = training.fit(report, checkpoint, more)
    training_time = checkpoint.time + time.monotonic() - begin
    report.progress({"state": "evaluating"})
    result = {**history, **training.evaluate(), "training_time": round(training_time, 4)}

    report.progress({"state": "exporting"})
    save_model(model)
    return {**result, "program": (imports, code)}


def save_model(model: Any) -> None:
    """Write the model's state dict here."""
    torch.save({name: tensor.cpu() for name, tensor in model.state_dict().items()}, _MODEL)


class Training:
    """A model with its samples, on the GPU if there is one."""

    samples: dict[str, Part]
    """The parts by name, which may be changed."""

    def __init__(self, model: Any, samples: dict[str, Part], request: dict[str, Any]) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model = model.to(self.device)
        self._loss = model.loss_fn()
        self.loss_name = torch_arrays.loss_name(self._loss)
        self.samples = samples
        self._request = request
        self._convert = self._converters()
        if request.get("unsupervised"):
            is_so = torch_arrays.is_of_classes(self.loss_name)
            check_classes_told_apart(self.loss_name, is_so=is_so)

    def try_one(self) -> None:
        """Raise UserError if the model does not take the samples, or a label is not one of its classes."""
        classes = self.classes(*self.samples["training"])
        for _, each in self.samples.values():
            if classes is not None and len(each):
                check_classes(each, classes)

    def classes(self, features: NDArray[Any], labels: NDArray[Any]) -> int | None:
        """Return the number of classes that labels are the numbers of; None for other labels.

        Raises UserError if the model does not take the first of the samples.
        """
        given = self._convert[0](np.array(features[:1]))
        try:
            found = self._predicted(given)
        except Exception as error:  # the user's code
            shape = " x ".join(map(str, given.shape[1:])) or "a single number"
            raise UserError(f"{where(error)}: {reason(error)}; a sample has the shape {shape}") from None
        is_single = int(np.prod(labels.shape[1:])) == 1
        if self.loss_name in torch_arrays.CLASSES and is_single and found.ndim == 2:
            return int(found.shape[1])
        return None

    def predict(self, features: NDArray[Any]) -> NDArray[Any]:
        """Return the outputs for samples, batch by batch."""
        batch = self._request["batch"]
        return np.concatenate(
            [
                self._predicted(self._convert[0](np.array(features[start : start + batch])))
                for start in range(0, len(features), batch)
            ]
        )

    def fit(self, report: Report, checkpoint: TorchCheckpoint, more: NDArray[Any]) -> dict[str, Any]:
        """Train up to the last epoch, from a checkpoint if there is one; return the metrics.

        Then train in rounds on those samples of `more` that the model is sure of.
        """
        epochs = self._request["fit"]["max_epochs"]
        optimizer = self._model.optimizer()
        progress = Progress(report, epochs, checkpoint.restore(self._model, optimizer, self.device))
        labelling = rounds(self._request, self.samples["training"], more, checkpoint.note)
        begin = time.monotonic()

        def after() -> None:
            elapsed = checkpoint.time + time.monotonic() - begin
            checkpoint.save(self._model, optimizer, progress.metrics, elapsed, labelling.note)
            progress.report()

        while True:
            if more.size:
                progress.more = {"rounds": labelling.figures}
            self.samples = {**self.samples, "training": labelling.training}
            progress.epochs = epochs * (labelling.number + 1)
            self.train(optimizer, progress, after)
            are_logits = self.loss_name in torch_arrays.LOGITS
            if not labelling.next(self.predict, progress.last(), are_logits=are_logits):
                return {**progress.history(), "rounds": labelling.figures if more.size else None}

    def train(self, optimizer: Any, progress: Progress, after: Callable[[], None] = lambda: None) -> None:
        """Train from the first epoch that `progress` does not have to its last; call `after` after each."""
        arguments = self._request["fit"]
        trainer = self._trainer(optimizer, progress)
        evaluator = self._evaluator(arguments)
        shuffles = bool(arguments.get("shuffle"))  # PyTorch's default
        batches = self._loader("training", arguments, seed=self._request["seed"] if shuffles else None)
        if not len(batches):
            raise UserError("drop_last: it leaves no batch, as there are fewer samples than `batch`")
        validation = self._loader("validation", {})
        for epoch in range(len(progress.metrics.get("loss", [])), progress.epochs):
            progress.begin(epoch)
            batches.epoch = epoch
            numbers = _run(trainer, batches, arguments)
            if len(validation):
                found = _run(evaluator, validation, {})
                numbers |= {f"val_{name}": value for name, value in found.items()}
            progress.keep(epoch, numbers)
            after()

    def evaluate(self) -> dict[str, Any]:
        """Return the metrics of the test, and the confusion matrix if that was asked for."""
        arguments = self._request["val"]
        batches = self._loader("test", arguments)
        if not len(batches):
            return {"test_metrics": None, "confusion_matrix": None}
        found = _run(self._evaluator(arguments), batches, arguments)
        matrix = None
        if self._request["matrix"]:
            everything = self._loader("test", {})
            predictions = np.concatenate([self._predicted(given) for given, _ in everything])
            expected = self.samples["test"][1]
            matrix = torch_arrays.confusion_matrix(predictions, expected, self.loss_name)
        return {
            "test_metrics": {name: [value] for name, value in found.items()},
            "confusion_matrix": matrix,
        }

    def _trainer(self, optimizer: Any, progress: Progress) -> Any:
        arguments = self._request["fit"]
        trainer = create_supervised_trainer(
            self._model,
            optimizer,
            self._loss,
            device=self.device,
            output_transform=lambda _x, y, predicted, _loss: (predicted.detach(), y),
            **{name: arguments[name] for name in _TRAINER if name in arguments},
        )
        for name, metric in self._model.metrics().items():
            metric.attach(trainer, name)
        trainer.add_event_handler(
            Events.ITERATION_COMPLETED,
            lambda engine: progress.step(engine.state.iteration, engine.state.epoch_length),
        )
        return trainer

    def _evaluator(self, arguments: dict[str, Any]) -> Any:
        given = {name: arguments[name] for name in _EVALUATOR if name in arguments}
        return create_supervised_evaluator(
            self._model, metrics=self._model.metrics(), device=self.device, **given
        )

    def _loader(self, name: str, arguments: dict[str, Any], seed: int | None = None) -> Loader:
        part = self.samples[name]
        return Loader(
            part,
            self._request["batch"],
            self._convert,
            seed=seed,
            drops_last=bool(arguments.get("drop_last")),
            mapped=sum(array.nbytes for array in part) > self._request["memory"],
        )

    def _converters(self) -> tuple[Convert, Convert]:
        looks_up = any(isinstance(each, nn.Embedding) for each in self._model.modules())

        def features(array: NDArray[Any]) -> Any:
            return torch.from_numpy(torch_arrays.features(array, keeps_integers=looks_up))

        def labels(array: NDArray[Any]) -> Any:
            return torch.from_numpy(torch_arrays.labels(array, self.loss_name))

        return features, labels

    def _predicted(self, given: Any) -> NDArray[Any]:
        self._model.eval()
        with torch.no_grad():
            found: NDArray[Any] = self._model(given.to(self.device)).cpu().numpy()
        return found


def _run(engine: Any, batches: Loader, arguments: dict[str, Any]) -> dict[str, float]:
    """Run an engine over batches once; return its metrics that are single numbers."""
    state = engine.run(batches, max_epochs=1, epoch_length=arguments.get("epoch_length"))
    found = dict[str, float]()
    for name, value in state.metrics.items():
        if isinstance(value, int | float) or getattr(value, "numel", lambda: 0)() == 1:
            found[str(name)] = float(value)
    return found
