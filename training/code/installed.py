"""Which frameworks this Python has."""

import importlib.util
from collections.abc import Mapping
from typing import Final

_PACKAGES: Final[Mapping[str, tuple[str, ...]]] = {"tf": ("tensorflow",), "pth": ("torch", "ignite")}


def lacking(framework: str) -> list[str]:
    """Return the packages of a framework that are not installed here."""
    return [name for name in _PACKAGES[framework] if importlib.util.find_spec(name) is None]
