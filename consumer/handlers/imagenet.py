"""ImageNet classifiers: a JPEG goes in as it came, labels come out."""

from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field

from consumer.handlers import checks
from consumer.handlers.handler import Options, Question
from consumer.model_server.tensors import Signature, Tensors
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Result


class ImagenetOptions(Options):
    """What can be set for an ImageNet classifier."""

    top: int = Field(1, ge=1, le=1000, description="labels shown at most, 1 to 1000")
    threshold: float = Field(0, ge=0, le=1, description="the least score shown, 0 to 1")


class Imagenet:
    """Asks models with the original system's signature.

    `image_bytes` (a JPEG) gives `classes` (an integer; 0 is the background, so the label is
    `labels[classes - 1]`) and `probabilities` (one for each class, the background first).
    """

    Options: ClassVar[type[Options]] = ImagenetOptions

    def __init__(
        self,
        labels: Sequence[str],
        options: ImagenetOptions,
        signature: Callable[[], Signature],  # noqa: ARG002  # it is known
    ) -> None:
        self._labels = labels
        self._options = options

    def question(self, frame: Frame) -> Question:
        """Return the question, which holds the frame's JPEG as it came."""
        return Question(frame, {"image_bytes": np.array([frame.jpeg], object)})

    def results(self, question: Question, answer: Tensors) -> tuple[Result, ...]:  # noqa: ARG002
        """Return the label of `classes`, and the likeliest others where `top` asks for them.

        There are none where `classes` is the background. Raises ValueError for a nonsensical answer.
        """
        classes = checks.output(answer, "classes")
        probabilities = checks.scores(
            checks.output(answer, "probabilities"), (1, -1), "the probabilities"
        ).ravel()
        if classes.dtype.kind not in "iu" or classes.shape != (1,):
            raise ValueError(f"the classes are {classes.dtype} {list(classes.shape)}, not one integer")
        chosen, known = int(classes[0]), min(len(probabilities) - 1, len(self._labels))
        if not 0 <= chosen <= known:
            raise ValueError(
                f"class {chosen} is not among {len(probabilities)} probabilities"
                f" and {len(self._labels)} labels"
            )
        if len(probabilities) - 1 > len(self._labels):
            raise ValueError(
                f"there are {len(probabilities)} probabilities, and {len(self._labels)} labels in LABELURLS"
            )
        if chosen == 0:
            return ()
        ranks = probabilities[1:].copy()
        ranks[chosen - 1] = np.inf  # it comes first, whatever the others have
        order = np.argsort(-ranks, kind="stable")[: self._options.top]
        found = (Result(self._labels[i], float(probabilities[i + 1])) for i in order)
        return tuple(result for result in found if result.score >= self._options.threshold)
