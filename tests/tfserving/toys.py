"""Small SavedModels that show one behaviour a signature."""

from pathlib import Path
from typing import Any

from tfserving.runtime import tf

DTYPES = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
DTYPES += ["float16", "bfloat16", "float32", "float64", "bool", "string", "complex64"]


def signature(function: Any, **inputs: tuple[str, list[int | None]]) -> Any:
    """Return a function with the given inputs, alias to dtype and shape, and the outputs it returns."""
    specs = {alias: tf.TensorSpec(shape, dtype, alias) for alias, (dtype, shape) in inputs.items()}
    return tf.function(function).get_concrete_function(**specs)


def spin(turns: Any) -> Any:
    """Count up to a number, slowly where the number is large."""
    return tf.while_loop(lambda i: i < turns[0], lambda i: [i + 1], [tf.constant(0, tf.int64)])[0]


def feature_x(examples: Any) -> Any:
    """Return the float feature x, one number an example."""
    return tf.io.parse_example(examples, {"x": tf.io.FixedLenFeature([], tf.float32)})["x"]


def classify(inputs: Any) -> dict[str, Any]:
    """Return the classes small and large of examples, scored by their feature x."""
    x = feature_x(inputs)
    classes = tf.tile([["small", "large"]], [tf.size(x), 1])
    return {"classes": classes, "scores": tf.stack([1 - x, x], axis=1)}


def save(folder: Path, factor: float = 2.0) -> Path:
    """Write a model with many signatures; `serving_default` multiplies by a factor."""
    module = tf.Module()
    module.factor = tf.Variable(factor)
    vector: list[int | None] = [None]
    signatures = {
        "serving_default": signature(lambda x: {"y": x * module.factor}, x=("float32", vector)),
        "two": signature(
            lambda a, b: {"sum": a + b, "text_bytes": tf.strings.as_string(a)},
            a=("int32", vector),
            b=("int32", vector),
        ),
        "one_in_two_out": signature(lambda x: {"double": x * 2, "half": x / 2}, x=("float32", vector)),
        "matrix": signature(lambda x: {"y": tf.matmul(x, tf.ones([2, 1]))}, x=("float32", [None, 2])),
        "scalar": signature(lambda x: {"y": tf.reduce_sum(x)}, x=("float32", vector)),
        "uneven": signature(lambda x: {"a": x, "b": x[:1]}, x=("float32", vector)),
        "empty": signature(lambda x: {"y": x[:0]}, x=("float32", vector)),
        "join": signature(lambda s: {"text": s, "raw_bytes": s}, s=("string", vector)),
        "spin": signature(lambda turns: {"turns": tf.reshape(spin(turns), [1])}, turns=("int64", vector)),
        "classify": signature(classify, inputs=("string", vector)),
        "classes_only": signature(lambda inputs: {"classes": inputs[:, None]}, inputs=("string", vector)),
        "wrong_batch": signature(lambda inputs: {"scores": tf.ones([1, 2])}, inputs=("string", vector)),  # noqa: ARG005
        "regress": signature(lambda inputs: {"outputs": feature_x(inputs) * 2}, inputs=("string", vector)),
        "no_input": signature(lambda: {"y": tf.constant([1.0])}),
    }
    for dtype in DTYPES:
        signatures[dtype] = signature(lambda x: {"y": tf.identity(x)}, x=(dtype, vector))
    module.kept = list(signatures.values())
    tf.saved_model.save(module, str(folder), signatures=signatures)
    return folder
