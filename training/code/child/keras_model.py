"""TensorFlow: what code may name, and what is known about its model."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import h5py
import keras
import numpy as np
import tensorflow as tf

from training.code.child.execute import UserError, execute, model_of
from training.code.child.later import Later
from training.code.child.reason import reason

EXPORTED: Final = "exported"
"""The folder in which a task leaves the SavedModel."""

_GROUP: Final = "streamlens"


def names() -> dict[str, Any]:
    """Return the names that code need not import, as in Kafka-ML."""
    return {"tf": tf, "keras": keras, "np": np, "tfds": Later("tensorflow_datasets")}


def build(request: dict[str, Any]) -> Any:
    """Run a program and return its model. Raises UserError."""
    distributed = bool(request["distributed"])
    namespace = execute(request["imports"], request["code"], names(), distributed=distributed)
    model = model_of(namespace, keras.Model, "Keras model", distributed=distributed)
    if not model.built:
        raise UserError("the code: the model's input is unknown; let it begin with keras.Input(shape=...)")
    if not distributed and not model.compiled:
        raise UserError("the code: the model has no loss; call model.compile(optimizer=..., loss=...)")
    return model


def summarise(request: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a Summary. The compiled, untrained model is written to `file`, as HDF5."""
    model = build(request)
    write(model, Path(request["file"]), request["imports"], request["code"])
    lines = list[str]()
    model.summary(line_length=100, print_fn=lambda text, **_: lines.append(text))
    return {
        "text": "\n".join(lines),
        "inputs": [_shape(tensor) for tensor in model.inputs or ()],
        "outputs": [_shape(tensor) for tensor in model.outputs or ()],
        "parameters": int(model.count_params()),
        "metrics": list(metrics(model)),
    }


def write(model: Any, file: Path, imports: str, code: str) -> None:
    """Write a model as HDF5. The program goes with it: HDF5 has no room for classes that the code defines."""
    try:
        model.save(file)
    except Exception as error:
        raise UserError(f"the model cannot be saved as HDF5: {reason(error)}") from None
    with h5py.File(file, "a") as saved:
        group = saved.create_group(_GROUP)
        group["imports"] = imports
        group["code"] = code


def program(file: Path) -> tuple[str, str] | None:
    """Return the `imports` and `code` that `write` has kept in a file, or None if it is from elsewhere."""
    with h5py.File(file) as saved:
        group = saved.get(_GROUP)
        return None if group is None else (group["imports"].asstr()[()], group["code"].asstr()[()])


def trained(file: Path) -> Any:
    """Return the trained model in a file. With the program that made it, it may have layers of its own."""
    is_hdf5 = h5py.is_hdf5(file)
    suffix = ".h5" if is_hdf5 else ".keras"  # Keras looks at the name
    named = file if file.suffix == suffix else Path(shutil.copyfile(file, f"trained{suffix}"))
    found = program(named) if is_hdf5 else None
    if found is None:
        return keras.models.load_model(named, compile=False)
    imports, code = found
    model = build({"imports": imports, "code": code, "distributed": False})
    model.load_weights(named)
    return model


def import_trained(request: dict[str, Any]) -> None:
    """Load the model in the file `trained`, and export it. Raises UserError if it is not one of the program.

    It must take and give arrays of the same shapes.
    """
    expected = build(request)
    try:
        found = trained(Path(request["trained"]))
    except Exception as error:
        raise UserError(f"the trained model cannot be loaded: {reason(error)}") from None
    for what in ("inputs", "outputs"):
        ours, theirs = (
            [_shape(each)[1:] for each in getattr(model, what) or ()] for model in (expected, found)
        )
        if ours != theirs:
            raise UserError(
                f"the trained model has {what} of the shapes {theirs}, but that of the configuration {ours}:"
                " import it for the model that it was trained from"
            )
    try:
        found.export(EXPORTED, verbose=False)
    except Exception as error:
        raise UserError(f"the trained model cannot be exported as a SavedModel: {reason(error)}") from None


def metrics(model: Any) -> Iterator[str]:
    """Yield the names of what the model was compiled with, the loss first."""
    if not model.compiled:
        return
    yield "loss"
    yield from _names((model.get_compile_config() or {}).get("metrics"))


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict) and "class_name" in value:
        config = value.get("config")
        named = config.get("name") if isinstance(config, dict) else config
        yield str(named or value["class_name"])
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _names(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _names(inner)


def _shape(tensor: Any) -> list[int | None]:
    return [None if size is None else int(size) for size in tensor.shape]
