"""The tasks of federated training with a Keras model: the first weights, a client's round, and the end.

Weights are raw numbers in files; this process knows neither who they are from nor where they go.
"""

from pathlib import Path
from typing import Any, Final

import keras
import numpy as np

from training.code.child.execute import UserError
from training.code.child.reason import reason
from training.code.child.report import Report
from training.federated.weights import described, pack, unpack
from training.job.child import keras_fit
from training.job.child.parts import parts
from training.job.child.suitable import suitable

_WEIGHTS: Final = "weights.bin"


def main(request: dict[str, Any], report: Report) -> dict[str, Any]:
    """Do the `step` with the model in the file `model`: `begin`, `fit` or `end`."""
    report.send("started")
    keras.utils.set_random_seed(request["seed"] % 2**32)
    model, program = keras_fit.built(Path(request["model"]))
    match request["step"]:
        case "begin":
            return _begin(model)
        case "fit":
            return _fit(model, request)
        case _:
            return _end(model, program, request)


def _begin(model: Any) -> dict[str, Any]:
    """Write the weights of an untrained model; return what they are, and the shapes of samples."""
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise UserError(
            f"the model has {len(model.inputs)} inputs and {len(model.outputs)} outputs: expected one of each"
        )
    trainable = {id(variable) for variable in model.trainable_variables}
    return {
        **_written(model),
        "trained": [id(variable) in trainable for variable in model.weights],
        "input": _shape(model.inputs[0]),
        "output": _shape(model.outputs[0]),
    }


def _fit(model: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Train for a round, from the weights in a file; write the new ones, and return the last metrics."""
    _set(model, request)
    data = Path(request["data"])
    features, labels = (np.load(data / f"{name}.npy", mmap_mode="r") for name in ("features", "labels"))
    features, labels = suitable(model, features, labels)
    samples = parts(features, labels, request["sizes"])
    arguments = keras_fit.arguments_of(request)
    shuffle = bool(arguments.pop("shuffle", True))
    validation = samples["validation"]
    history = model.fit(
        **keras_fit.batched(samples["training"], request, shuffle=shuffle),
        validation_data=validation if len(validation[0]) else None,
        verbose=0,
        **arguments,
    ).history
    metrics = {name: float(values[-1]) for name, values in history.items() if values}
    return {**_written(model), "metrics": metrics}


def _end(model: Any, program: tuple[str, str] | None, request: dict[str, Any]) -> dict[str, Any]:
    """Write the model with its last weights, in both formats."""
    _set(model, request)
    keras_fit.write(model, program, pictures=None)
    return {"program": program}


def _set(model: Any, request: dict[str, Any]) -> None:
    given = unpack(described(request["weights"]), Path(request["file"]).read_bytes())
    try:
        model.set_weights(given)
    except ValueError as error:
        raise UserError(f"the weights are not those of the model: {reason(error)}") from None


def _written(model: Any) -> dict[str, Any]:
    found, data = pack([np.asarray(variable) for variable in model.weights])
    Path(_WEIGHTS).write_bytes(data)
    return {"weights": found.composed()}


def _shape(tensor: Any) -> list[int | None]:
    return [None if size is None else int(size) for size in tensor.shape[1:]]
