"""ImageNet classifiers: the JPEG in unchanged, labels out."""

from typing import ClassVar

import numpy as np
from pydantic import Field

from consumer.handlers import checks
from consumer.handlers.handler import Handler, Options, Question
from consumer.labels.labels import Labels
from pipeline.model_server.tensors import Tensors
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Result


class ImagenetOptions(Options):
    """The options of an ImageNet classifier."""

    top: int = Field(1, ge=1, le=1000, description="most labels shown, 1 to 1000")
    threshold: float = Field(0, ge=0, le=1, description="lowest score shown, 0 to 1")


class Imagenet(Handler[ImagenetOptions]):
    """Asks models with the original system's signature.

    `image_bytes` (a JPEG) gives `classes` (an integer; 0 is the background, 1 has the first label) and
    `probabilities` (one for each class, the background first).
    """

    Options: ClassVar[type[Options]] = ImagenetOptions

    def question(self, frame: Frame) -> Question:
        """Return the question, which holds the frame's JPEG unchanged."""
        return Question(frame, {"image_bytes": np.array([frame.jpeg], object)})

    def results(
        self,
        question: Question,  # noqa: ARG002
        answer: Tensors,
        labels: Labels,
    ) -> tuple[Result, ...]:
        """Return the label of `classes`, followed by the likeliest others if `top` is more than 1.

        There are no results if `classes` is the background. Raises ValueError if the answer is invalid.
        """
        classes = checks.output(answer, "classes")
        probabilities = checks.scores(
            checks.output(answer, "probabilities"), (1, -1), "the probabilities"
        ).ravel()
        if classes.dtype.kind not in "iu" or classes.shape != (1,):
            raise ValueError(
                f"the classes: expected one integer, found {classes.dtype} {list(classes.shape)}"
            )
        names = labels.of_classes(len(probabilities) - 1, with_background=False)
        chosen = int(classes[0])
        if not 0 <= chosen <= len(names):
            raise ValueError(
                f"the classes: expected 0 to {len(names)}, as there are {len(probabilities)} probabilities,"
                f" found {chosen}"
            )
        if chosen == 0:
            return ()
        ranks = probabilities[1:].copy()
        ranks[chosen - 1] = np.inf  # it comes first, whatever the others' probabilities
        order = np.argsort(-ranks, kind="stable")[: self.options.top]
        found = (Result(names[i], float(probabilities[i + 1])) for i in order)
        return tuple(result for result in found if result.score >= self.options.threshold)
