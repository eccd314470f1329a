"""TensorFlow: a Keras file as a function."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import tensorflow as tf
from numpy.typing import NDArray

from training.code.child import keras_model
from training.code.child.execute import UserError
from training.job.child.suitable import shaped

_ONE: Final = 1


def load(request: dict[str, Any]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Return what predicts with the model in the file `model`."""
    model = keras_model.trained(Path(request["model"]))
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
