"""Any classifier: one picture goes in, a score for each label comes out."""

from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, FiniteFloat

from consumer.handlers import checks, pictures, ranking
from consumer.handlers.handler import Options, Question
from consumer.model_server.tensors import Array, Signature, Tensors
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Result


class ClassifyOptions(Options):
    """What can be set for a classifier."""

    size: int = Field(
        224, ge=1, le=4096, description="height and width where the model leaves them open, 1 to 4096"
    )
    scale: FiniteFloat = Field(
        1 / 255, description="what pixels are multiplied with, where floats are wanted"
    )
    offset: FiniteFloat = Field(0, description="what is then added to them")
    softmax: bool = Field(False, description="whether the scores are logits, whose softmax is shown")
    output: str = Field("", description="the output with the scores, where the model has several")
    top: int = Field(1, ge=1, le=1000, description="labels shown at most, 1 to 1000")
    threshold: float = Field(0, ge=0, le=1, description="the least score shown, 0 to 1")


class Classify:
    """Asks models with one input, JPEGs or pixels, and one vector of scores, such as Keras exports.

    The label of score i is `labels[i]`; the scores are probabilities, or logits where `softmax` is set.
    """

    Options: ClassVar[type[Options]] = ClassifyOptions

    def __init__(
        self, labels: Sequence[str], options: ClassifyOptions, signature: Callable[[], Signature]
    ) -> None:
        self._labels = labels
        self._options = options
        self._signature = signature

    def question(self, frame: Frame) -> Question:
        """Return the question, with the frame as the model's input takes it.

        Raises PictureError where the frame is no picture, ValueError where the model takes something else or
        has no output of the name that is set.
        """
        signature, options = self._signature(), self._options
        wanted = pictures.image_input(signature)
        if options.output and options.output not in signature.outputs:
            raise ValueError(
                f"the option output is {options.output!r}, and the model's outputs are"
                f" {', '.join(signature.outputs)}"
            )
        tensor = pictures.tensor(frame, wanted, size=options.size, scale=options.scale, offset=options.offset)
        return Question(frame, {wanted.name: tensor})

    def results(self, question: Question, answer: Tensors) -> tuple[Result, ...]:  # noqa: ARG002
        """Return the likeliest labels; raise ValueError for a nonsensical answer."""
        shape, options = (1, len(self._labels)), self._options
        vector = self._vector(answer)
        if vector.ndim == 2 and vector.shape[1] != len(self._labels):
            raise ValueError(
                f"there are {vector.shape[1]} scores, and {len(self._labels)} labels in LABELURLS"
            )
        if options.softmax:
            scores = _softmax(checks.numbers(vector, shape, "the scores"))
        else:
            remedy = "; if they are logits, set the option softmax to true"
            scores = checks.scores(vector, shape, "the scores", remedy)
        return ranking.ranked(scores[0], self._labels, options.top, options.threshold)

    def _vector(self, answer: Tensors) -> Array:
        if len(answer) == 1:
            return checks.only(answer)
        if self._options.output:
            return checks.output(answer, self._options.output)
        vectors = [tensor for tensor in answer.values() if tensor.dtype.kind == "f" and tensor.ndim == 2]
        if len(vectors) != 1:
            raise ValueError(
                f"{len(vectors)} of the outputs {checks.names(answer)} are vectors of scores;"
                " name the one that is meant in the option output"
            )
        return vectors[0]


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):  # what is that far below the others is 0
        powers = np.exp(logits - logits.max())
    softmax: NDArray[np.float64] = powers / powers.sum()
    return softmax
