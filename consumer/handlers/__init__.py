"""Model handlers, one module per kind of model: what to ask, and what the answers mean."""

from collections.abc import Mapping
from typing import Any, Final

from consumer.handlers.classify import Classify
from consumer.handlers.detect import Detect
from consumer.handlers.emonet import Emonet
from consumer.handlers.handler import Handler
from consumer.handlers.imagenet import Imagenet

HANDLERS: Final[Mapping[str, type[Handler[Any]]]] = {
    "imagenet": Imagenet,
    "emonet": Emonet,
    "detect": Detect,
    "classify": Classify,
}
"""The handler for each kind of model; the kind is the part of a model's name before `_`."""
