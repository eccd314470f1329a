"""Limits on what clients send to the stand-in for TensorFlow Serving."""

from typing import Final

from tests.limits.limit import Limit

LIMITS: Final[tuple[Limit, ...]] = ()

OURS: Final = frozenset(
    [
        "tfserving.models.detect.detector.MOST",
        "tfserving.models.detect.shapes.MOST",
    ]
)
"""Constants that bound our own work, and nothing that comes from outside."""
