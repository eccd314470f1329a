"""Emotions: faces are found here, the model tells what each of them shows."""

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

import numpy as np
from pydantic import Field

from consumer.handlers import checks, pictures
from consumer.handlers.faces import Faces
from consumer.handlers.handler import Options, Question
from consumer.handlers.steady import Steady
from consumer.model_server.tensors import Signature, Tensors
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Result

_SIDE: Final = 64  # pixels of a face where the model leaves it open


class EmonetOptions(Options):
    """What can be set for a model of emotions."""

    top: int = Field(8, ge=1, le=64, description="faces asked about at most, the largest, 1 to 64")
    threshold: float = Field(0, ge=0, le=1, description="the least score shown, 0 to 1")
    smallest: float = Field(
        0.2, ge=0.05, le=1, description="height of the smallest face as a share of the frame's, 0.05 to 1"
    )
    steady: float = Field(
        0.3, ge=0, le=10, description="seconds over which a face's emotions are averaged, 0 to 10"
    )


class Emonet:
    """Asks models that take faces as floats in 0..1 and give a probability for each label.

    The faces are grey, or where the model wants three channels, grey in each of them.
    """

    Options: ClassVar[type[Options]] = EmonetOptions

    def __init__(
        self, labels: Sequence[str], options: EmonetOptions, signature: Callable[[], Signature]
    ) -> None:
        self._labels = labels
        self._options = options
        self._signature = signature
        self._faces = Faces(options.smallest)
        self._steady = Steady(options.steady)

    def question(self, frame: Frame) -> Question:
        """Return the question, with a row for each face.

        Raises PictureError where the frame is no picture, ValueError where the model takes no faces.
        """
        wanted = pictures.image_input(self._signature())
        height, width = (side if side > 0 else _SIDE for side in (wanted.height, wanted.width))
        if wanted.dtype in ("string", "uint8") or height != width:
            raise ValueError(
                f"the model's input {wanted.name} is {wanted.dtype} of {width} x {height} pixels;"
                " squares of floats are wanted"
            )
        found = self._faces.find(frame, height, self._options.top)
        if not found:
            return Question(frame, {}, rows=0)
        faces = np.stack([pictures.pixels(face, wanted.dtype, 1 / 255, 0) for _, face in found])
        rows = np.repeat(faces[..., np.newaxis], wanted.channels, axis=3)
        return Question(frame, {wanted.name: rows}, len(found), tuple(box for box, _ in found))

    def results(self, question: Question, answer: Tensors) -> tuple[Result, ...]:
        """Return the likeliest emotion of each face, the surest first, and the face's box.

        Raises ValueError for a nonsensical answer.
        """
        if not question.rows:
            return ()
        shape = (question.rows, len(self._labels))
        probabilities = checks.scores(checks.only(answer), shape, "the probabilities")
        settled = self._steady.settle(question.frame, question.boxes, probabilities)
        results = [
            Result(self._labels[shown], score, box)
            for (shown, score), box in zip(settled, question.boxes, strict=True)
            if score >= self._options.threshold
        ]
        return tuple(sorted(results, key=lambda result: -result.score))
