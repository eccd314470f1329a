"""Emotions: faces are found here, and the model classifies each of them."""

from typing import ClassVar, Final

import numpy as np
from pydantic import Field

from consumer.handlers import checks
from consumer.handlers.faces import Faces
from consumer.handlers.handler import Handler, Options, Question
from consumer.handlers.image_input import image_input, pixels
from consumer.handlers.steady import Steady
from consumer.labels.labels import Labels
from pipeline.model_server.tensors import Tensors
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Result

LONGEST_SIDE: Final = 256  # pixels of a face that a signature may declare: there may be many
_SIDE: Final = 64  # pixels per side of a face, if the model accepts any size


class EmonetOptions(Options):
    """The options of a model of emotions."""

    top: int = Field(16, ge=1, le=64, description="most faces asked about, the largest ones, 1 to 64")
    threshold: float = Field(0, ge=0, le=1, description="lowest score shown, 0 to 1")
    smallest: float = Field(
        0.2, ge=0.05, le=1, description="height of the smallest face as a share of the frame's, 0.05 to 1"
    )
    steady: float = Field(
        0.3, ge=0, le=10, description="seconds over which a face's emotions are averaged, 0 to 10"
    )


class Emonet(Handler[EmonetOptions]):
    """Asks models that take faces as floats in 0..1 and return a probability for each label.

    The faces are grey; if the model expects three channels, all three are the same.
    """

    Options: ClassVar[type[Options]] = EmonetOptions

    def __post_init__(self) -> None:
        self._faces = Faces(self.options.smallest, self.pictures)
        self._steady = Steady(self.options.steady)

    def question(self, frame: Frame) -> Question:
        """Return the question, with a row for each face.

        Raises PictureError if the frame is not a picture, ValueError if the model does not take faces.
        """
        target = image_input(self.signature())
        height, width = (side if side > 0 else _SIDE for side in (target.height, target.width))
        if target.dtype in ("string", "uint8") or height != width or height > LONGEST_SIDE:
            raise ValueError(
                f"the model's input {target.name}: expected floats in squares of up to {LONGEST_SIDE}"
                f" pixels, found {target.dtype} of {width} x {height} pixels"
            )
        found = self._faces.find(frame, height, self.options.top)
        if not found:
            return Question(frame, {}, rows=0)
        faces = np.stack([pixels(face, target.dtype, 1 / 255, 0) for _, face in found])
        rows = np.repeat(faces[..., np.newaxis], target.channels, axis=3)
        return Question(frame, {target.name: rows}, len(found), tuple(box for box, _ in found))

    def results(self, question: Question, answer: Tensors, labels: Labels) -> tuple[Result, ...]:
        """Return the likeliest emotion of each face, the likeliest first, and the face's box.

        Raises ValueError if the answer is invalid.
        """
        probabilities = checks.scores(checks.only(answer), (question.rows, -1), "the probabilities")
        names = labels.of_classes(probabilities.shape[1])
        settled = self._steady.settle(question.frame, question.boxes, probabilities)
        results = [
            Result(names[shown], score, box)
            for (shown, score), box in zip(settled, question.boxes, strict=True)
            if score >= self.options.threshold
        ]
        return tuple(sorted(results, key=lambda result: -result.score))

    def forget(self, camera: str) -> None:
        """Drop the camera's picture and faces."""
        super().forget(camera)
        self._faces.forget(camera)
        self._steady.forget(camera)
