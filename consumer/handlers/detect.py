"""Detectors with the signature of TensorFlow's object detection: boxes, their classes and scores come out.

https://github.com/tensorflow/models/blob/master/research/object_detection/exporter_lib_v2.py
"""

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, FiniteFloat

from consumer.handlers import checks, pictures
from consumer.handlers.handler import Options, Question
from consumer.model_server.tensors import Array, Signature, Tensors
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Box, Result

_FARTHEST: Final = 2.0  # detectors do overshoot the picture a little; pixels would be far more


class DetectOptions(Options):
    """What can be set for a detector."""

    threshold: float = Field(0.5, ge=0, le=1, description="the least score shown, 0 to 1")
    top: int = Field(10, ge=1, le=100, description="boxes shown at most, 1 to 100")
    size: int = Field(
        320, ge=1, le=4096, description="height and width where the model leaves them open, 1 to 4096"
    )
    scale: FiniteFloat = Field(1, description="what pixels are multiplied with, where floats are wanted")
    offset: FiniteFloat = Field(0, description="what is then added to them")


class Detect:
    """Asks models with one input, JPEGs or pixels.

    They answer `detection_boxes` (ymin, xmin, ymax, xmax in 0..1), `detection_scores`, `detection_classes`
    (from 1, so the label is `labels[class - 1]`) and, where not all of them count, `num_detections`.
    """

    Options: ClassVar[type[Options]] = DetectOptions

    def __init__(
        self, labels: Sequence[str], options: DetectOptions, signature: Callable[[], Signature]
    ) -> None:
        self._labels = labels
        self._options = options
        self._signature = signature

    def question(self, frame: Frame) -> Question:
        """Return the question, with the frame as the model's input takes it.

        Raises PictureError where the frame is no picture, ValueError where the model takes something else.
        """
        wanted, options = pictures.image_input(self._signature()), self._options
        tensor = pictures.tensor(frame, wanted, size=options.size, scale=options.scale, offset=options.offset)
        return Question(frame, {wanted.name: tensor})

    def results(self, question: Question, answer: Tensors) -> tuple[Result, ...]:
        """Return a result for each box, the likeliest first; raise ValueError for a nonsensical answer."""
        scores = checks.scores(checks.output(answer, "detection_scores"), (1, -1), "the detection_scores")[0]
        count = _count(answer, len(scores))
        scores = scores[:count]
        boxes = checks.output(answer, "detection_boxes")
        classes = checks.output(answer, "detection_classes")
        if boxes.shape[1:2] != classes.shape[1:2] or classes.shape[1:2] < (count,):
            raise ValueError(
                f"{list(boxes.shape)} boxes, {list(classes.shape)} classes and {count} scores do not match"
            )
        places = checks.numbers(boxes[:, :count], (1, count, 4), "the detection_boxes")[0]
        kinds = checks.numbers(classes[:, :count], (1, count), "the detection_classes")[0]
        results: list[Result] = []
        for i in np.argsort(-scores, kind="stable"):
            if len(results) == self._options.top or scores[i] < self._options.threshold or not scores[i]:
                break  # of score 0 are those that fill a tensor
            label = self._label(kinds[i])
            if box := _box(places[i], question.frame):
                results.append(Result(label, float(scores[i]), box))
        return tuple(results)

    def _label(self, kind: float) -> str:
        if not (1 <= kind <= len(self._labels) and kind == int(kind)):
            raise ValueError(f"class {kind:g} is not among the {len(self._labels)} labels in LABELURLS")
        return self._labels[int(kind) - 1]


def _count(answer: Tensors, most: int) -> int:
    """Return how many detections count; the rest is there to fill the tensors."""
    if "num_detections" not in answer:
        return most
    counts: Array = answer["num_detections"]
    count = float(checks.numbers(counts, (1,), "the num_detections")[0])
    if not (0 <= count <= most and count == int(count)):
        raise ValueError(f"num_detections is {count:g}, and there are {most} scores")
    return int(count)


def _box(place: NDArray[np.float64], frame: Frame) -> Box | None:
    """Return a box in pixels of the frame, clipped to it; None where nothing is left."""
    if np.abs(place).max() > _FARTHEST:
        raise ValueError(f"the box {place.round(2).tolist()} is not within 0 to 1")
    top, left, bottom, right = place.clip(0, 1)
    x, y = round(left * frame.width), round(top * frame.height)
    width, height = round(right * frame.width) - x, round(bottom * frame.height) - y
    return (x, y, width, height) if width > 0 and height > 0 else None
