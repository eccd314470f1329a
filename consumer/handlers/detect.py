"""Detectors with the signature of TensorFlow's object detection: boxes, their classes and scores.

https://github.com/tensorflow/models/blob/master/research/object_detection/exporter_lib_v2.py
"""

from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, FiniteFloat

from consumer.handlers import checks
from consumer.handlers.handler import Handler, Options, Question
from consumer.handlers.image_input import image_input, tensor
from consumer.model_server.tensors import Array, Tensors
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Box, Result

_FARTHEST: Final = 2.0  # detectors overshoot the picture a little; coordinates in pixels would be far larger


class DetectOptions(Options):
    """The options of a detector."""

    threshold: float = Field(0.5, ge=0, le=1, description="lowest score shown, 0 to 1")
    top: int = Field(10, ge=1, le=100, description="most boxes shown, 1 to 100")
    size: int = Field(320, ge=1, le=4096, description="height and width if the model accepts any, 1 to 4096")
    scale: FiniteFloat = Field(1, description="factor for the pixels, if the model takes floats")
    offset: FiniteFloat = Field(0, description="added to the pixels after that")


class Detect(Handler[DetectOptions]):
    """Asks models with one input, JPEGs or pixels.

    They answer `detection_boxes` (ymin, xmin, ymax, xmax in 0..1), `detection_scores`, `detection_classes`
    (from 1, so the label is `labels[class - 1]`) and, if not all of them count, `num_detections`.
    """

    Options: ClassVar[type[Options]] = DetectOptions

    def question(self, frame: Frame) -> Question:
        """Return the question, with the frame in the form of the model's input.

        Raises PictureError if the frame is not a picture, ValueError if the model takes something else.
        """
        target, options = image_input(self.signature()), self.options
        image = tensor(
            frame, self.pictures, target, size=options.size, scale=options.scale, offset=options.offset
        )
        return Question(frame, {target.name: image})

    def results(self, question: Question, answer: Tensors) -> tuple[Result, ...]:
        """Return a result for each box, the likeliest first; raise ValueError if the answer is invalid."""
        scores = checks.scores(checks.output(answer, "detection_scores"), (1, -1), "the detection_scores")[0]
        count = _count(answer, len(scores))
        scores = scores[:count]
        boxes = checks.output(answer, "detection_boxes")
        classes = checks.output(answer, "detection_classes")
        if boxes.shape[1:2] != classes.shape[1:2] or classes.shape[1:2] < (count,):
            raise ValueError(
                f"expected as many boxes and classes as scores, found {list(boxes.shape)} boxes,"
                f" {list(classes.shape)} classes and {count} scores"
            )
        places = checks.numbers(boxes[:, :count], (1, count, 4), "the detection_boxes")[0]
        kinds = checks.numbers(classes[:, :count], (1, count), "the detection_classes")[0]
        results: list[Result] = []
        for i in np.argsort(-scores, kind="stable"):
            if len(results) == self.options.top or scores[i] < self.options.threshold or not scores[i]:
                break  # boxes with a score of 0 only fill the tensor
            label = self._label(kinds[i])
            if box := _box(places[i], question.frame):
                results.append(Result(label, float(scores[i]), box))
        return tuple(results)

    def _label(self, kind: float) -> str:
        if not (1 <= kind <= len(self.labels) and kind == int(kind)):
            raise ValueError(
                f"expected classes 1 to {len(self.labels)}, as many as LABELURLS has, found {kind:g}"
            )
        return self.labels[int(kind) - 1]


def _count(answer: Tensors, most: int) -> int:
    """Return how many detections count; the others only fill the tensors."""
    if "num_detections" not in answer:
        return most
    counts: Array = answer["num_detections"]
    count = float(checks.numbers(counts, (1,), "the num_detections")[0])
    if not (0 <= count <= most and count == int(count)):
        raise ValueError(
            f"the num_detections: expected at most {most}, the number of scores, found {count:g}"
        )
    return int(count)


def _box(place: NDArray[np.float64], frame: Frame) -> Box | None:
    """Return a box in pixels, clipped to the frame, or None if nothing is left of it."""
    if np.abs(place).max() > _FARTHEST:
        raise ValueError(f"expected boxes within 0 to 1, found {place.round(2).tolist()}")
    top, left, bottom, right = place.clip(0, 1)
    x, y = round(left * frame.width), round(top * frame.height)
    width, height = round(right * frame.width) - x, round(bottom * frame.height) - y
    return (x, y, width, height) if width > 0 and height > 0 else None
