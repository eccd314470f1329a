"""The task that trains a chain of Keras models as one. It speaks only to its parent."""

import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
from numpy.typing import NDArray

from training.code.child import keras_model
from training.code.child.execute import UserError
from training.code.child.reason import reason
from training.code.child.report import Report
from training.code.program import Summary
from training.job.child.checkpoint import Checkpoint
from training.job.child.classes import matrix
from training.job.child.joint import NAME, compiled
from training.job.child.keras_fit import fit
from training.job.child.parts import Part, parts
from training.job.child.suitable import check_classes, shaped
from training.part_shapes import gap, misfit


def main(request: dict[str, Any], report: Report) -> dict[str, Any]:
    """Train the models in the files `models`, lowest first, and write each here in both formats."""
    report.send("started")
    keras.utils.set_random_seed(request["seed"] % 2**32)
    models, programs = zip(*(_model(Path(file)) for file in request["models"]), strict=True)
    _check(models, request["names"])
    features, labels = _samples(models, request)
    samples = parts(features, labels, request["sizes"])
    joint = compiled(models, request)
    report.progress({"state": "training"})

    begin = time.monotonic()
    checkpoint = Checkpoint(Path("checkpoint.npz"))
    no_more = np.empty((0, *features.shape[1:]), features.dtype)
    history = fit(joint, samples, request, report=report, checkpoint=checkpoint, more=no_more)
    training_time = checkpoint.time + time.monotonic() - begin
    report.progress({"state": "evaluating"})
    result = {
        **history,
        **_evaluate(joint, samples["test"], request),
        "training_time": round(training_time, 4),
    }

    report.progress({"state": "exporting"})
    for number, (model, program) in enumerate(zip(models, programs, strict=True)):
        keras_model.write(model, Path(f"model-{number}.h5"), *program)
        _export(model, request["names"][number], f"exported-{number}")
    return {**result, "program": programs}


def _model(file: Path) -> tuple[Any, tuple[str, str]]:
    """Return an untrained model, and the program that made it."""
    program = keras_model.program(file) if h5py.is_hdf5(file) else None
    if program is None:
        raise UserError("the file of a part has no program: expected the one that the training service makes")
    imports, code = program
    return keras_model.build({"imports": imports, "code": code, "distributed": True}), program


def _check(models: Any, names: list[str]) -> None:
    """Raise UserError for parts that do not fit."""
    known = [
        (name, Summary("", _shapes(model.inputs), _shapes(model.outputs), 0, ()))
        for name, model in zip(names, models, strict=True)
    ]
    for number, (name, found) in enumerate(known):
        is_top = number == len(known) - 1
        why = misfit(name, found, has_upper=not is_top)
        if is_top and why is None and len(found.outputs) != 1:
            why = f"model {name} has {len(found.outputs)} outputs: expected one, as no model is above it"
        if why:
            raise UserError(why)
    for lower, upper in pairwise(known):
        if why := gap(lower, upper):
            raise UserError(why)


def _shapes(tensors: Any) -> tuple[tuple[int | None, ...], ...]:
    return tuple(tuple(each.shape) for each in tensors)


def _samples(models: Any, request: dict[str, Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    data = Path(request["data"])
    features, labels = (np.load(data / f"{name}.npy", mmap_mode="r") for name in ("features", "labels"))
    features = shaped(features, tuple(models[0].inputs[0].shape[1:]))
    if request["loss"].lower().startswith("sparse"):
        for model in models:
            check_classes(labels, int(model.outputs[-1].shape[-1]))
    return features, labels


def _evaluate(joint: Any, test: Part, request: dict[str, Any]) -> dict[str, Any]:
    if not len(test[0]):
        return {"test_metrics": None, "confusion_matrix": None}
    arguments = {"batch_size": request["batch"], **request["val"], "verbose": 0}
    found = joint.evaluate(*test, return_dict=True, **arguments)
    matrices = None
    if request["matrix"]:
        predictions = joint.predict(test[0], batch_size=arguments.get("batch_size"), verbose=0)
        loss = request["loss"].lower()
        matrices = [
            matrix(each, test[1], loss) if each.ndim == 2 else None
            for each in (predictions[NAME.format(number)] for number in range(len(joint.parts)))
        ]
    return {
        "test_metrics": {name: [float(value)] for name, value in found.items()},
        "confusion_matrix": matrices,
    }


def _export(model: Any, name: str, folder: str) -> None:
    try:
        model.export(folder, verbose=False)
    except Exception as error:
        raise UserError(f"model {name} cannot be exported as a SavedModel: {reason(error)}") from None
