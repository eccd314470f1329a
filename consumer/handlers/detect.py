"""Detectors with the signature of TensorFlow's object detection: boxes, their classes and scores.

https://github.com/tensorflow/models/blob/master/research/object_detection/exporter_lib_v2.py
"""

from collections.abc import Mapping
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, FiniteFloat

from consumer.handlers import checks
from consumer.handlers.handler import Handler, NothingValidError, Options, Question
from consumer.handlers.image_input import image_input, tensor
from consumer.labels.labels import Labels
from pipeline.model_server.tensors import Array, Signature, Tensors
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Box, Result

_OUTPUTS: Final = ("detection_boxes", "detection_scores", "detection_classes", "num_detections")
MOST_DETECTIONS: Final = 10_000
"""Detections in an answer about one frame."""

_FARTHEST: Final = 2.0  # detectors overshoot the picture a little; coordinates in pixels would be far larger


class DetectOptions(Options):
    """The options of a detector."""

    threshold: float = Field(0.5, ge=0, le=1, description="lowest score shown, 0 to 1")
    top: int = Field(10, ge=1, le=100, description="most boxes shown, 1 to 100")
    size: int = Field(320, ge=1, le=4096, description="height and width if the model accepts any, 1 to 4096")
    scale: FiniteFloat = Field(1, description="factor for the pixels, if the model takes floats")
    offset: FiniteFloat = Field(0, description="added to the pixels after that")
    first: int = Field(1, ge=0, le=1, description="number of the model's first class, 0 or 1")


class Detect(Handler[DetectOptions]):
    """Asks models with one input, JPEGs or pixels.

    They answer `detection_boxes` (ymin, xmin, ymax, xmax in 0..1), `detection_scores`, `detection_classes`
    (from 1, unless the option `first` says otherwise) and, if not all of them count, `num_detections`.
    """

    Options: ClassVar[type[Options]] = DetectOptions

    def __post_init__(self) -> None:
        self._width: int | None = None

    def question(self, frame: Frame) -> Question:
        """Return the question, with the frame in the form of the model's input.

        Raises PictureError if the frame is not a picture, ValueError if the model takes something else.
        """
        signature, options = self.signature(), self.options
        self._width, target = _width(signature), image_input(signature)
        image = tensor(
            frame, self.pictures, target, size=options.size, scale=options.scale, offset=options.offset
        )
        # Detectors also return the raw boxes, which are megabytes that nobody needs.
        outputs = tuple(name for name in _OUTPUTS if name in signature.outputs)
        return Question(frame, {target.name: image}, outputs=outputs)

    def results(self, question: Question, answer: Tensors, labels: Labels) -> tuple[Result, ...]:
        """Return a result for each box, the likeliest first; raise ValueError if the answer is invalid.

        A detection that makes no sense is left out, and reported. Raises NothingValidError if all are.
        """
        scores = _rows(answer, "detection_scores", 1)
        count = _count(answer, len(scores))
        boxes, classes = _rows(answer, "detection_boxes", 2), _rows(answer, "detection_classes", 1)
        if len(boxes) != len(classes) or len(classes) < count:
            raise ValueError(
                f"expected as many boxes and classes as scores, found {len(boxes)} boxes,"
                f" {len(classes)} classes and {count} scores"
            )
        names = labels.by_number(self.options.first, self._width)
        results: list[Result] = []
        valid, wrong = 0, ""
        for i in np.argsort(-scores[:count], kind="stable"):  # what is not a number comes last
            if len(results) == self.options.top or scores[i] < self.options.threshold or not scores[i]:
                break  # boxes with a score of 0 only fill the tensor
            try:
                label = _label(classes[i], names)
                score = _score(scores[i])
                box = _box(boxes[i], question.frame)
            except ValueError as error:
                wrong = str(error)
                self.report(f"a detection is left out: {wrong}")
                continue
            valid += 1
            if box:
                results.append(Result(label, score, box))
        if wrong and not valid:
            raise NothingValidError(f"all detections are left out: {wrong}")
        return tuple(results)


def _width(signature: Signature) -> int | None:
    """Return how many scores each detection has, if the model's other outputs show that."""
    for name in ("detection_multiclass_scores", "raw_detection_scores"):
        info = signature.outputs.get(name)
        if info is not None and info.shape is not None and len(info.shape) == 3 and info.shape[2] > 1:
            return info.shape[2]
    return None


def _rows(answer: Tensors, name: str, dimensions: int) -> NDArray[np.float64]:
    """Return an output's numbers for the only frame: one for each detection, or four."""
    array = checks.output(answer, name)
    if array.dtype.kind not in "iuf":
        raise ValueError(f"the {name}: expected numbers, found {checks.kind_of(array)}")
    if not array.size:  # JSON has no shape for "none": `[]` may stand for four numbers of no detection
        return np.zeros((0, 4)[:dimensions])
    expected = (1, *array.shape[1:2], 4)[: dimensions + 1]
    if array.ndim < 2 or array.shape != expected or array.shape[1] > MOST_DETECTIONS:
        shape = "[1, N, 4]" if dimensions == 2 else "[1, N]"
        shape += f" with N up to {MOST_DETECTIONS}"
        raise ValueError(f"the {name}: expected the shape {shape}, found {list(array.shape)}")
    numbers: NDArray[np.float64] = array[0].astype(np.float64)
    return numbers


def _label(kind: float, names: Mapping[int, str]) -> str:
    name = names.get(int(kind)) if np.isfinite(kind) and kind == int(kind) else None
    if name is None:
        raise ValueError(f"LABELURLS has no label for class {kind:g}")
    return name


def _score(score: float) -> float:
    if not -checks.SLACK <= score <= 1 + checks.SLACK:  # nor a NaN
        raise ValueError(f"expected a score of 0 to 1, found {score:.4g}")
    return min(max(float(score), 0.0), 1.0)


def _count(answer: Tensors, most: int) -> int:
    """Return how many detections count; the others only fill the tensors."""
    if "num_detections" not in answer:
        return most
    counts: Array = answer["num_detections"]
    count = float(checks.numbers(counts.reshape(-1), (1,), "the num_detections")[0])
    if not (0 <= count <= most and count == int(count)):
        raise ValueError(
            f"the num_detections: expected at most {most}, the number of scores, found {count:g}"
        )
    return int(count)


def _box(place: NDArray[np.float64], frame: Frame) -> Box | None:
    """Return a box in pixels, clipped to the frame, or None if nothing is left of it."""
    if not np.abs(place).max() <= _FARTHEST:  # nor a NaN
        raise ValueError(f"expected a box within 0 to 1, found {place.round(2).tolist()}")
    top, left, bottom, right = place.clip(0, 1)
    if bottom < top or right < left:
        raise ValueError(f"expected a box as ymin, xmin, ymax, xmax, found {place.round(2).tolist()}")
    x, y = round(left * frame.width), round(top * frame.height)
    width, height = round(right * frame.width) - x, round(bottom * frame.height) - y
    return (x, y, width, height) if width > 0 and height > 0 else None
