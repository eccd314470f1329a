"""A row of the table of limits."""

import importlib
from dataclasses import dataclass
from typing import Any

from pydantic_settings import BaseSettings


@dataclass(frozen=True, slots=True)
class Limit:
    """A row: `what` is limited, and what is `seen` by the client or the operator beyond it.

    `name` is the constant's, such as `pipeline.wire.frame.LONGEST_NAME`, or a field's of a service's
    settings, such as `consumer.settings.ConsumerSettings.maxcameras`. `unit` follows the number: `bytes` and
    `s` are shown as people write them.
    """

    what: str
    name: str
    unit: str
    seen: str

    @property
    def value(self) -> Any:
        """The number that applies by default."""
        owner, name = self._place()
        return owner.model_fields[name].default if self.setting else getattr(owner, name)

    @property
    def setting(self) -> str:
        """The setting that changes it, if one does."""
        owner, name = self._place()
        return name.upper() if isinstance(owner, type) and issubclass(owner, BaseSettings) else ""

    def _place(self) -> tuple[Any, str]:
        path, _, name = self.name.rpartition(".")
        module, _, last = path.rpartition(".")
        if last[:1].isupper():
            return getattr(importlib.import_module(module), last), name
        return importlib.import_module(path), name
