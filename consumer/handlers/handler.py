"""What a handler is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

from consumer.model_server.tensors import Signature, Tensors
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Box, Result


class Options(BaseModel):
    """What can be set for one model: the members beside `url` of its value in MODELURLS."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about a frame: a batch of `rows`, none of them where there is nothing to ask.

    `boxes` are what the rows show, where they show parts of the frame.
    """

    frame: Frame
    inputs: Tensors
    rows: int = 1
    boxes: tuple[Box, ...] = ()


class Handler(Protocol):
    """Asks one kind of model. Its methods are called from several threads at once."""

    Options: ClassVar[type[Options]]

    def __init__(self, labels: Sequence[str], options: Any, signature: Callable[[], Signature]) -> None:
        """Take the model's labels, its `Options`, and what asks the server for the model's signature.

        The signature may have to be fetched: ask for it only in `question`, where it is needed.
        """

    def question(self, frame: Frame) -> Question:
        """Return what to ask about a frame.

        Raises PictureError where the frame is no picture, ValueError where the model's signature is not one
        that the handler can ask, ModelError where the signature cannot be had.
        """
        ...

    def results(self, question: Question, answer: Tensors) -> tuple[Result, ...]:
        """Return what the answer to a question says of its frame, the likeliest first.

        The answer has the question's rows; over REST the only output of a model has the name "". Raises
        ValueError where it makes no sense.
        """
        ...
