"""The interface of a model handler."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from consumer.handlers.pictures import Pictures
from consumer.labels.labels import Labels
from pipeline.model_server.tensors import Signature, Tensors
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Box, Result


class Options(BaseModel):
    """The options of one model: the members of its value in MODELURLS other than `url`."""

    model_config = ConfigDict(frozen=True, extra="forbid")


log = logging.getLogger(__name__)

OptionsT = TypeVar("OptionsT", bound=Options)


class NothingValidError(ValueError):
    """Nothing that an answer says about a frame is valid; about another frame, it may be."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request about a frame: a batch of `rows`, or 0 rows if there is nothing to ask.

    If the rows show parts of the frame, `boxes` says which. `outputs` are those that are needed; if there are
    none, all are.
    """

    frame: Frame
    inputs: Tensors
    rows: int = 1
    boxes: tuple[Box, ...] = ()
    outputs: tuple[str, ...] = ()


@dataclass(eq=False)
class Handler(ABC, Generic[OptionsT]):
    """Turns frames into questions for one model, and its answers into results.

    Several threads call the methods at once. The signature may have to be fetched from the server, so a
    handler calls `signature` only in `question`. `pictures` decodes frames for all handlers. `report` takes a
    line about what is wrong with part of an answer; it may be called for every frame.
    """

    Options: ClassVar[type[Any]]

    options: OptionsT
    signature: Callable[[], Signature]
    pictures: Pictures = field(default_factory=Pictures)
    report: Callable[[str], None] = log.warning

    def __post_init__(self) -> None:
        """Create whatever else a kind of handler needs."""

    @abstractmethod
    def question(self, frame: Frame) -> Question:
        """Return what to ask about a frame.

        Raises PictureError if the frame is not a picture, ValueError if the model's signature is not one that
        the handler supports, ModelError if the signature is not available.
        """

    @abstractmethod
    def results(self, question: Question, answer: Tensors, labels: Labels) -> tuple[Result, ...]:
        """Return what the answer to a question says about its frame, the likeliest result first.

        The answer has the question's rows; over REST, a model's only output has the name "". The labels are
        those of the version that answered. Raises ValueError if the answer is invalid, or has other classes,
        and NothingValidError if that is true only of all that it has found.
        """

    def forget(self, camera: str) -> None:
        """Drop everything that is remembered about a camera."""
        self.pictures.forget(camera)
