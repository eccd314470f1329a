"""TensorFlow: a Keras file as a function."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import h5py
import keras
import tensorflow as tf
from numpy.typing import NDArray

from training.code.child import keras_model
from training.code.child.execute import UserError
from training.job.child.suitable import shaped

_ONE: Final = 1


def load(request: dict[str, Any]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Return what predicts with the model in the file `model`."""
    model = _model(Path(request["model"]))
    if len(model.inputs or ()) != _ONE or len(model.outputs or ()) != _ONE:
        raise UserError(
            f"the model has {len(model.inputs or ())} inputs and {len(model.outputs or ())} outputs: expected"
            " one of each, as messages have one array"
        )
    given = model.inputs[0]
    expected = tuple(given.shape[1:])
    dtype = tf.as_dtype(given.dtype)
    # A single graph for batches of any size: another one for each size would take long to make.
    function = tf.function(
        lambda rows: tf.nest.flatten(model(rows, training=False))[0],
        input_signature=[tf.TensorSpec((None, *expected), dtype)],
        autograph=False,
    )

    def predict(rows: NDArray[Any]) -> NDArray[Any]:
        rows = shaped(rows, expected)
        if dtype == tf.string:
            if rows.dtype.kind != "S":
                raise UserError(f"the message has {rows.dtype}, but the model expects texts")
            return function(tf.constant(rows)).numpy()  # type: ignore[no-any-return]
        if rows.dtype.kind == "S":
            raise UserError(f"the message has texts, but the model expects {dtype.name}")
        return function(tf.constant(rows.astype(dtype.as_numpy_dtype))).numpy()  # type: ignore[no-any-return]

    return predict


def _model(file: Path) -> Any:
    """Return the trained model. With the program that made it, it may have layers of its own."""
    if not h5py.is_hdf5(file):
        # Keras chooses by the name's ending.
        named = shutil.copyfile(file, "model.keras")
        return keras.models.load_model(named, compile=False)
    program = keras_model.program(file)
    if program is None:
        return keras.models.load_model(file, compile=False)
    imports, code = program
    model = keras_model.build({"imports": imports, "code": code, "distributed": False})
    model.load_weights(file)
    return model
