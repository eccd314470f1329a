"""The names of topics and clients."""

import re
from dataclasses import dataclass
from typing import Final

LONGEST_CLIENT: Final = 60
"""Characters of a client's name, which is a part of a topic's."""

_CLIENT: Final = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST_CLIENT - 1}}}", re.ASCII)
_TRAINING: Final = re.compile(r"[A-Za-z0-9]{1,32}", re.ASCII)
_PREFIX: Final = re.compile(r"[A-Za-z0-9._-]{1,60}", re.ASCII)

MODELS: Final = "FEDERATED_MODEL_CONTROL_TOPIC"
"""The topic of the cloud's Kafka where trainings are announced."""

DATA: Final = "FEDERATED_DATA_CONTROL_TOPIC"
"""The topic of an owner's Kafka with its control messages."""


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one training, which all are in the cloud's Kafka. They have Kafka-ML's names."""

    training: str
    prefix: str = "FED"

    @property
    def rounds(self) -> str:
        """What the aggregator says to all clients."""
        return f"{self.prefix}-{self.training}-model_control_topic"

    @property
    def weights(self) -> str:
        """The bytes of the model and of its weights."""
        return f"{self.prefix}-{self.training}-model_data_topic"

    @property
    def updates(self) -> str:
        """What clients say to the aggregator."""
        return f"{self.prefix}-{self.training}-agg_control_topic"

    def of(self, client: str) -> str:
        """Return the topic with the bytes of a client's weights."""
        return f"{self.prefix}-{self.training}-agg_data_topic-{client}"


def check_client(name: str) -> str:
    """Return a client's name; raise ValueError if it cannot be a part of a topic's."""
    if not _CLIENT.fullmatch(name):
        raise ValueError(
            f"client {name[:80]!r}: expected 1 to {LONGEST_CLIENT} letters, digits, '.', '_' and '-', of"
            " which the first is a letter or a digit"
        )
    return name


def check_training(name: str) -> str:
    """Return the text that names a training; raise ValueError for another one."""
    if not _TRAINING.fullmatch(name):
        raise ValueError(f"expected 1 to 32 letters and digits, found {name[:80]!r}")
    return name


def check_prefix(name: str) -> str:
    """Return the beginning of topics' names; raise ValueError if it cannot be one."""
    if not _PREFIX.fullmatch(name):
        raise ValueError(f"expected 1 to 60 letters, digits, '.', '_' and '-', found {name[:80]!r}")
    return name
