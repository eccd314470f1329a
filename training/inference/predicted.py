"""What becomes of the messages that were taken together."""

from collections.abc import Sequence
from dataclasses import dataclass

from confluent_kafka import Message

from training.inference.answers import Answer
from training.inference.batch import Bad
from training.inference.source import Place, place
from training.inference.upper import Sending, Unsure


@dataclass(frozen=True, slots=True)
class Predicted:
    """Messages that were taken together: the answers to them, what goes up instead, and what is bad."""

    messages: Sequence[Message]
    answers: Sequence[Answer]
    unsure: Sequence[Unsure]
    bad: Sequence[Bad]

    def without(self, gone: set[Place]) -> "Predicted":
        """Return what is not from partitions that are gone."""
        return Predicted(
            [each for each in self.messages if place(each) not in gone],
            [each for each in self.answers if place(each.question) not in gone],
            [each for each in self.unsure if place(each.question) not in gone],
            [each for each in self.bad if place(each.message) not in gone],
        )


@dataclass(slots=True)
class Delivered:
    """Messages whose answers Kafka has; some are still on their way up."""

    messages: Sequence[Message]
    answered: int
    bad: list[Bad]
    sending: Sending | None
