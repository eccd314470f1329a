"""Small SavedModels, each signature with one behaviour."""

from pathlib import Path
from typing import Any

from tfserving.runtime import tf

DTYPES = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
DTYPES += ["float16", "bfloat16", "float32", "float64", "bool", "string", "complex64"]

STAR = 4
"""The number of a star in detectLabels.json, where numbering starts at 1."""


def signature(function: Any, **inputs: tuple[str, list[int | None]]) -> Any:
    """Return a function with the given inputs (alias to dtype and shape) and the outputs it returns."""
    specs = {alias: tf.TensorSpec(shape, dtype, alias) for alias, (dtype, shape) in inputs.items()}
    return tf.function(function).get_concrete_function(**specs)


def spin(turns: Any) -> Any:
    """Count up to a number, slowly where the number is large."""
    return tf.while_loop(lambda i: i < turns[0], lambda i: [i + 1], [tf.constant(0, tf.int64)])[0]


def feature_x(examples: Any) -> Any:
    """Return the float feature x, one number per example."""
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


def save_tasks(folder: Path) -> Path:
    """Write a model as TensorFlow 1 did, whose signatures share an input: half of a feature x, plus 2."""
    v1 = tf.compat.v1
    with v1.Session(graph=tf.Graph()) as session:
        examples, others = v1.placeholder(tf.string, [None]), v1.placeholder(tf.string, [None])
        a, b = v1.placeholder(tf.float32, [None], "a"), v1.placeholder(tf.float32, [None], "b")
        y = v1.parse_example(examples, {"x": tf.io.FixedLenFeature([1], tf.float32)})["x"] / 2 + 2
        signatures = {
            "regress_x_to_y": _task("regress", examples, outputs=y),
            "regress_x_to_y2": _task("regress", examples, outputs=y + 1),
            "regress_other": _task("regress", others, outputs=tf.strings.to_number(others)),
            "classify_x_to_y": _task("classify", examples, scores=y),
            "classes_and_other": _task("classify", examples, classes=tf.strings.as_string(y), other=y),
            "classes_of_numbers": _task("classify", examples, classes=y),
            "scores_of_rank_1": _task("classify", examples, scores=y[:, 0]),
            "scores_of_doubles": _task("classify", examples, scores=tf.cast(y, tf.float64)),
            "one_class_two_scores": _task(
                "classify", examples, classes=tf.strings.as_string(y), scores=tf.concat([y, y], 1)
            ),
            "outputs_of_integers": _task("regress", examples, outputs=tf.cast(y, tf.int32)),
            "outputs_of_pairs": _task("regress", examples, outputs=tf.concat([y, y], 1)),
            "one_output": _task("regress", examples, outputs=y[:1]),
            "sum": v1.saved_model.predict_signature_def(
                {"a": a, "b": b}, {"sum": a + b, "difference": a - b}
            ),
        }
        signatures["sum"].defaults["b"].CopyFrom(tf.make_tensor_proto([10.0]))
        builder = v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(session, ["serve"], signatures)
        builder.save()
    return folder


def _task(verb: str, examples: Any, **outputs: Any) -> Any:
    info = tf.compat.v1.saved_model.build_tensor_info
    return tf.compat.v1.saved_model.build_signature_def(
        {"inputs": info(examples)},
        {alias: info(output) for alias, output in outputs.items()},
        f"tensorflow/serving/{verb}",
    )


def save_detector(folder: Path) -> Path:
    """Write a detector with the signature of the real one: it reports anything red as a star."""
    module = tf.Module()

    def find(jpeg: Any) -> Any:
        pixels = tf.cast(tf.io.decode_jpeg(jpeg, channels=3), tf.int32)
        red = (pixels[..., 0] > 180) & (pixels[..., 1] < 100) & (pixels[..., 2] < 100)
        edges = []
        for axis in (1, 0):
            many = tf.where(tf.reduce_sum(tf.cast(red, tf.int32), axis) > 8)[:, 0]
            edges.append(
                tf.stack([tf.reduce_min(many), tf.reduce_max(many)]) / tf.shape(red, tf.int64)[1 - axis]
            )
        box = tf.cast(tf.stack([edges[0][0], edges[1][0], edges[0][1], edges[1][1]]), tf.float32)
        return tf.where(tf.reduce_any(red), box, 0)

    def detect(input_tensor: Any) -> dict[str, Any]:
        boxes = tf.map_fn(find, input_tensor, fn_output_signature=tf.TensorSpec([4], tf.float32))
        there = tf.cast(tf.reduce_any(boxes > 0, axis=1), tf.float32)
        rest = [[0, 0], [0, 19]]
        return {
            "detection_boxes": tf.pad(boxes[:, None], [[0, 0], [0, 19], [0, 0]]),
            "detection_classes": tf.pad(STAR * there[:, None], rest),
            "detection_scores": tf.pad(0.9 * there[:, None], rest),
            "num_detections": there,
        }

    signatures = {"serving_default": signature(detect, input_tensor=("string", [None]))}
    tf.saved_model.save(module, str(folder), signatures=signatures)
    return folder
