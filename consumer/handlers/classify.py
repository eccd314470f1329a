"""Any classifier: one picture in, one score per label out."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, FiniteFloat

from consumer.handlers import checks
from consumer.handlers.handler import Handler, Options, Question
from consumer.handlers.image_input import image_input, tensor
from consumer.labels.labels import Labels
from pipeline.model_server.tensors import Array, Signature, Tensors
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Result


class ClassifyOptions(Options):
    """The options of a classifier."""

    size: int = Field(224, ge=1, le=4096, description="height and width if the model accepts any, 1 to 4096")
    scale: FiniteFloat = Field(1 / 255, description="factor for the pixels, if the model takes floats")
    offset: FiniteFloat = Field(0, description="added to the pixels after that")
    softmax: bool = Field(False, description="whether the scores are logits, so that their softmax is shown")
    output: str = Field("", description="the output with the scores, if the model has several")
    top: int = Field(1, ge=1, le=1000, description="most labels shown, 1 to 1000")
    threshold: float = Field(0, ge=0, le=1, description="lowest score shown, 0 to 1")


class Classify(Handler[ClassifyOptions]):
    """Asks models with one input, JPEGs or pixels, and one vector of scores, such as Keras exports.

    There is one label for each score, in the same order. The scores are probabilities, or logits if `softmax`
    is set.
    """

    Options: ClassVar[type[Options]] = ClassifyOptions

    def question(self, frame: Frame) -> Question:
        """Return the question, with the frame in the form of the model's input.

        Raises PictureError if the frame is not a picture, ValueError if the model takes something else or
        does not have the output that the options name.
        """
        signature, options = self.signature(), self.options
        target = image_input(signature)
        if options.output and options.output not in signature.outputs:
            raise ValueError(
                f"option output={options.output!r}: expected one of the model's outputs"
                f" {', '.join(signature.outputs)}"
            )
        image = tensor(
            frame, self.pictures, target, size=options.size, scale=options.scale, offset=options.offset
        )
        outputs = (options.output,) if options.output else _vectors(signature)
        return Question(frame, {target.name: image}, outputs=outputs)

    def results(
        self,
        question: Question,  # noqa: ARG002
        answer: Tensors,
        labels: Labels,
    ) -> tuple[Result, ...]:
        """Return the likeliest labels; raise ValueError if the answer is invalid."""
        vector, shape, options = self._vector(answer), (1, -1), self.options
        if options.softmax:
            scores = _softmax(checks.numbers(vector, shape, "the scores"))
        else:
            remedy = "; if they are logits, set the option softmax to true"
            scores = checks.scores(vector, shape, "the scores", remedy)
        names = labels.of_classes(scores.shape[1])
        return _likeliest(scores[0], names, options.top, options.threshold)

    def _vector(self, answer: Tensors) -> Array:
        if len(answer) == 1:
            return checks.only(answer)
        if self.options.output:
            return checks.output(answer, self.options.output)
        vectors = [tensor for tensor in answer.values() if tensor.dtype.kind == "f" and tensor.ndim == 2]
        if len(vectors) != 1:
            raise ValueError(
                f"expected one vector of scores, found {len(vectors)} in the outputs {checks.names(answer)};"
                " set the option output to the right one"
            )
        return vectors[0]


def _vectors(signature: Signature) -> tuple[str, ...]:
    """Return the outputs that may be vectors of scores."""
    return tuple(
        name
        for name, info in signature.outputs.items()
        if info.dtype.startswith("float") and (info.shape is None or len(info.shape) == 2)
    )


def _likeliest(
    scores: NDArray[np.float64], labels: Sequence[str], top: int, threshold: float
) -> tuple[Result, ...]:
    """Return at most `top` labels with a score of at least `threshold`, the likeliest first."""
    order = np.argsort(-scores, kind="stable")[:top]
    return tuple(Result(labels[i], float(scores[i])) for i in order if scores[i] >= threshold)


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):  # a score that far below the others becomes 0
        powers = np.exp(logits - logits.max())
    softmax: NDArray[np.float64] = powers / powers.sum()
    return softmax
