"""The task that trains a Keras model: it fits, evaluates and saves. It speaks only to its parent."""

import time
from functools import partial
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from training.code.child import keras_model
from training.code.child.execute import UserError
from training.code.child.reason import reason
from training.code.child.report import Report
from training.job.child import labeller
from training.job.child.batches import Batches
from training.job.child.checkpoint import Checkpoint
from training.job.child.classes import confusion_matrix, is_of_classes, loss_name
from training.job.child.confident import check_classes_told_apart
from training.job.child.epochs import Epochs
from training.job.child.parts import Part, parts
from training.job.child.progress import Progress
from training.job.child.rounds import rounds, unlabelled
from training.job.child.suitable import shaped, suitable

_MODEL: Final = "model.h5"
_EXPORTED: Final = "exported"


def main(request: dict[str, Any], report: Report) -> dict[str, Any]:
    """Train the model in the file `model` on the arrays in `data`, and write it here in both formats."""
    report.send("started")
    data, given = Path(request["data"]), Path(request["model"])
    keras.utils.set_random_seed(request["seed"] % 2**32)
    model, program = built(given)
    check_loss(model, request)
    features, labels = (np.load(data / f"{name}.npy", mmap_mode="r") for name in ("features", "labels"))
    features, labels = suitable(model, features, labels)
    samples = parts(features, labels, request["sizes"])
    report.progress({"state": "training"})

    more = shaped(unlabelled(request, data, features), features.shape[1:])
    begin = time.monotonic()
    checkpoint = Checkpoint(Path("checkpoint.npz"))
    history = fit(model, samples, request, report=report, checkpoint=checkpoint, more=more)
    training_time = checkpoint.time + time.monotonic() - begin
    report.progress({"state": "evaluating"})
    result = {
        **history,
        **_evaluate(model, samples["test"], request),
        "training_time": round(training_time, 4),
    }

    report.progress({"state": "exporting"})
    write(model, program, request["pictures"])
    return {**result, "program": program}


def built(file: Path) -> tuple[Any, tuple[str, str] | None]:
    """Return the compiled model, and the program that made it, if it is in the file."""
    program = keras_model.program(file)
    if program is None:
        try:
            return keras.models.load_model(file), None
        except Exception as error:
            raise UserError(f"the model's file cannot be loaded: {reason(error)}") from None
    imports, code = program
    model = keras_model.build({"imports": imports, "code": code, "distributed": False})
    return model, program


def fit(
    model: Any,
    samples: dict[str, Part],
    request: dict[str, Any],
    *,
    report: Report,
    checkpoint: Checkpoint,
    more: NDArray[Any],
) -> dict[str, Any]:
    """Train from the checkpoint on, then in rounds on those of `more` that the model is sure of.

    Return the metrics of the epochs, and the figures of the rounds.
    """
    arguments = arguments_of(request)
    epochs = arguments.pop("epochs")
    shuffle, validation = bool(arguments.pop("shuffle", True)), samples["validation"]
    progress = Progress(report, epochs, checkpoint.restore(model))
    labelling = rounds(request, samples["training"], more, checkpoint.note)
    while True:
        if more.size:
            progress.more = {"rounds": labelling.figures}
        progress.epochs = epochs * (labelling.number + 1)
        done = len(progress.metrics.get("loss", []))
        if done < progress.epochs:
            model.fit(
                **batched(labelling.training, request, shuffle=shuffle),
                epochs=progress.epochs,
                initial_epoch=done,
                validation_data=validation if len(validation[0]) else None,
                callbacks=[Epochs(progress, checkpoint, lambda: labelling.note)],
                verbose=0,
                **arguments,
            )
        if not labelling.next(partial(predicted, model, request), progress.last(), are_logits=logits(model)):
            return {**progress.history(), "rounds": labelling.figures if more.size else None}


def check_loss(model: Any, request: dict[str, Any]) -> None:
    """Raise UserError if a model that cannot label samples is to do so."""
    if request.get("unsupervised"):
        loss = loss_name(model)
        check_classes_told_apart(loss, is_so=is_of_classes(loss))


def predicted(model: Any, request: dict[str, Any], features: NDArray[Any]) -> NDArray[Any]:
    """Return a model's outputs, shape (n, …)."""
    found: NDArray[Any] = model.predict(features, batch_size=request["batch"], verbose=0)
    return found


def logits(model: Any) -> bool:
    """Return whether a model's outputs are known to be logits."""
    return bool(getattr(model.loss, "from_logits", False))


def arguments_of(request: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of `fit`."""
    arguments = dict(request["fit"])
    for name in ("verbose", "initial_epoch"):
        arguments.pop(name, None)
    if isinstance(arguments.get("class_weight"), dict):  # JSON has no numbers as keys
        arguments["class_weight"] = {int(key): value for key, value in arguments["class_weight"].items()}
    return arguments


def batched(part: Part, request: dict[str, Any], *, shuffle: bool) -> dict[str, Any]:
    """Return samples for `fit`: as arrays where they fit into memory, otherwise batch by batch."""
    batch = request["batch"]
    if sum(array.nbytes for array in part) <= request["memory"]:
        return {"x": np.asarray(part[0]), "y": np.asarray(part[1]), "batch_size": batch, "shuffle": shuffle}
    return {"x": Batches(*part, batch, seed=request["seed"] if shuffle else None)}


def _evaluate(model: Any, test: Part, request: dict[str, Any]) -> dict[str, Any]:
    if not len(test[0]):
        return {"test_metrics": None, "confusion_matrix": None}
    arguments = {"batch_size": request["batch"], **request["val"], "verbose": 0}
    found = model.evaluate(*test, return_dict=True, **arguments)
    matrix = None
    if request["matrix"]:
        batch = arguments.get("batch_size")
        matrix = confusion_matrix(model, model.predict(test[0], batch_size=batch, verbose=0), test[1])
    return {
        "test_metrics": {name: [float(value)] for name, value in found.items()},
        "confusion_matrix": matrix,
    }


def write(model: Any, program: tuple[str, str] | None, pictures: dict[str, Any] | None) -> None:
    """Write the model here in both formats. `pictures` has `size` and `labels` of a model for JPEGs."""
    keras_model.write(model, Path(_MODEL), *(program or ("", "")))
    _export(model, pictures)


def _export(model: Any, pictures: dict[str, Any] | None) -> None:
    """Write the SavedModel."""
    try:
        if pictures and labeller.can_label(model, pictures["labels"]):
            height, width = pictures["size"]
            labeller.export(model, (height, width), pictures["labels"], Path(_EXPORTED))
        else:
            model.export(_EXPORTED, verbose=False)
    except Exception as error:
        raise UserError(f"the model cannot be exported as a SavedModel: {reason(error)}") from None
