"""What is asked of each kind of model and what its answers mean: one module a kind."""

from collections.abc import Mapping
from typing import Final

from consumer.handlers.classify import Classify
from consumer.handlers.detect import Detect
from consumer.handlers.emonet import Emonet
from consumer.handlers.handler import Handler
from consumer.handlers.imagenet import Imagenet

HANDLERS: Final[Mapping[str, type[Handler]]] = {
    "imagenet": Imagenet,
    "emonet": Emonet,
    "detect": Detect,
    "classify": Classify,
}
"""The part of a model's name before `_`, and who handles such a model."""
