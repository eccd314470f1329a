"""TensorFlow: a Keras file as a function."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from training.code.child import keras_model
from training.code.child.execute import UserError
from training.job.child.suitable import shaped


def load(request: dict[str, Any]) -> Callable[[NDArray[Any]], NDArray[Any] | tuple[NDArray[Any], ...]]:
    """Return what predicts with the model in the file `model`.

    A `distributed` one is a part of a chain, whose last output is its prediction; `both` asks for the first,
    too, which is for the upper model.
    """
    is_part, both = bool(request.get("distributed")), bool(request.get("both"))
    model = keras_model.trained(Path(request["model"]), distributed=is_part)
    _check(len(model.inputs or ()), len(model.outputs or ()), is_part=is_part, both=both)
    given = model.inputs[0]
    expected = tuple(given.shape[1:])
    dtype = tf.as_dtype(given.dtype)
    # A single graph for batches of any size: another one for each size would take long to make.
    function = tf.function(
        lambda rows: tf.nest.flatten(model(rows, training=False))[:: 1 if both else -1][: 2 if both else 1],
        input_signature=[tf.TensorSpec((None, *expected), dtype)],
        autograph=False,
    )

    def outputs(rows: NDArray[Any]) -> NDArray[Any] | tuple[NDArray[Any], ...]:
        found = tuple(each.numpy() for each in function(tf.constant(rows)))
        return found if both else found[0]

    def predict(rows: NDArray[Any]) -> NDArray[Any] | tuple[NDArray[Any], ...]:
        rows = shaped(rows, expected)
        if dtype == tf.string:
            if rows.dtype.kind != "S":
                raise UserError(f"the message has {rows.dtype}, but the model expects texts")
            return outputs(rows)
        if rows.dtype.kind == "S":
            raise UserError(f"the message has texts, but the model expects {dtype.name}")
        return outputs(rows.astype(dtype.as_numpy_dtype))

    return predict


def _check(inputs: int, outputs: int, *, is_part: bool, both: bool) -> None:
    if both and (inputs, outputs) != (1, 2):
        raise UserError(
            f"the model has {inputs} inputs and {outputs} outputs: expected one input and two outputs, as it"
            " has an upper model"
        )
    if inputs != 1 or outputs not in ((1, 2) if is_part else (1,)):
        raise UserError(
            f"the model has {inputs} inputs and {outputs} outputs: expected one of each, as messages have one"
            " array"
        )
