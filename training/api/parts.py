"""What the resources of the API share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol

from confluent_kafka import Consumer
from fastapi import Path

from training.code_checks import Code
from training.database.engine import Database
from training.fields import LARGEST_NUMBER
from training.files import Files
from training.runners.runner import Runner
from training.runs import Places
from training.versions.library import Library

RowId = Annotated[int, Path(ge=0, le=LARGEST_NUMBER, description="the id of a row")]
"""An id in a path."""


class Control(Protocol):
    """Writes control messages."""

    def publish(self, key: bytes, value: bytes) -> None:
        """Write a message; raise `training.control.publisher.PublishError` if that fails."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of the service that requests use. `consumer` makes a consumer for one browser.

    `kafkaconfig` are settings of librdkafka for what sends data.
    """

    database: Database
    files: Files
    code: Code
    runner: Runner
    control: Control
    places: Places
    consumer: Callable[[], Consumer]
    library: Library
    kafkaconfig: Mapping[str, Any] = field(default_factory=dict)
