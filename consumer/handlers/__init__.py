"""What is asked of each kind of model and what its answers mean: one module a kind."""

from typing import Final

from consumer.handlers.imagenet import Imagenet

HANDLERS: Final = {"imagenet": Imagenet}
"""The part of a model's name before `_`, and who handles such a model."""
