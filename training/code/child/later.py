"""Packages that code may use where they are installed."""

import importlib
import types
from typing import Any


class Later(types.ModuleType):
    """A module that is imported when it is first used, so that its absence stops only code that needs it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return getattr(importlib.import_module(self.__name__), attribute)
