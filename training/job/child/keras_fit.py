"""The task that trains a Keras model: it fits, evaluates and saves. It speaks only to its parent."""

import time
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np

from training.code.child import keras_model
from training.code.child.execute import UserError
from training.code.child.reason import reason
from training.code.child.report import Report
from training.job.child import labeller
from training.job.child.batches import Batches
from training.job.child.checkpoint import Checkpoint
from training.job.child.classes import confusion_matrix
from training.job.child.epochs import Epochs
from training.job.child.parts import Part, parts
from training.job.child.progress import Progress
from training.job.child.suitable import suitable

_MODEL: Final = "model.h5"
_EXPORTED: Final = "exported"


def main(request: dict[str, Any], report: Report) -> dict[str, Any]:
    """Train the model in the file `model` on the arrays in `data`, and write it here in both formats."""
    report.send("started")
    data, given = Path(request["data"]), Path(request["model"])
    keras.utils.set_random_seed(request["seed"] % 2**32)
    model, program = load(given)
    features, labels = (np.load(data / f"{name}.npy", mmap_mode="r") for name in ("features", "labels"))
    features, labels = suitable(model, features, labels)
    samples = parts(features, labels, request["sizes"])
    report.progress({"state": "training"})

    begin = time.monotonic()
    checkpoint = Checkpoint(Path("checkpoint.npz"))
    history = _fit(model, samples, request, report, checkpoint)
    training_time = checkpoint.time + time.monotonic() - begin
    report.progress({"state": "evaluating"})
    result = {
        **history,
        **_evaluate(model, samples["test"], request),
        "training_time": round(training_time, 4),
    }

    report.progress({"state": "exporting"})
    keras_model.write(model, Path(_MODEL), *(program or ("", "")))
    _export(model, request["pictures"])
    return {**result, "program": program}


def load(file: Path) -> tuple[Any, tuple[str, str] | None]:
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


def _fit(
    model: Any, samples: dict[str, Part], request: dict[str, Any], report: Report, checkpoint: Checkpoint
) -> dict[str, Any]:
    arguments = dict(request["fit"])
    arguments.pop("verbose", None)
    if isinstance(arguments.get("class_weight"), dict):  # JSON has no numbers as keys
        arguments["class_weight"] = {int(key): value for key, value in arguments["class_weight"].items()}
    epochs = arguments.pop("epochs")
    history = checkpoint.restore(model)
    done = len(history.get("loss", []))
    arguments.pop("initial_epoch", None)
    progress = Progress(report, epochs, history)
    if done < epochs:
        validation = samples["validation"]
        batches = batched(samples["training"], request, shuffle=bool(arguments.pop("shuffle", True)))
        model.fit(
            **batches,
            epochs=epochs,
            initial_epoch=done,
            validation_data=validation if len(validation[0]) else None,
            callbacks=[Epochs(progress, checkpoint)],
            verbose=0,
            **arguments,
        )
    return progress.history()


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


def _export(model: Any, pictures: dict[str, Any] | None) -> None:
    """Write the SavedModel. `pictures` has the `size` and the `labels` of a model for JPEGs."""
    try:
        if pictures and labeller.can_label(model, pictures["labels"]):
            height, width = pictures["size"]
            labeller.export(model, (height, width), pictures["labels"], Path(_EXPORTED))
        else:
            model.export(_EXPORTED, verbose=False)
    except Exception as error:
        raise UserError(f"the model cannot be exported as a SavedModel: {reason(error)}") from None
