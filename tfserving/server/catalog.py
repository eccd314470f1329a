"""The models that are served, found by name, and the thread that keeps them up to date."""

import logging
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager

from tfserving.server.errors import Code, ServingError, invalid
from tfserving.server.model import Model
from tfserving.server.saved import SavedModel
from tfserving.server.versions import State, Status

log = logging.getLogger(__name__)


class Catalog:
    """The models by name."""

    def __init__(self, models: Sequence[Model]) -> None:
        self._models = {model.name: model for model in models}

    def lease(
        self, name: str, version: int | None = None, label: str | None = None
    ) -> AbstractContextManager[tuple[int, SavedModel]]:
        """Return a lease of a model's version, the highest loaded one by default.

        Raises ServingError: INVALID_ARGUMENT for an unknown label, NOT_FOUND for an unknown model.
        """
        if label is not None:
            raise invalid(f"Unrecognized servable version label: {label}")
        if name in self._models:
            return self._models[name].lease(version)
        which = f"Latest({name})" if version is None else f"Specific({name}, {version})"
        raise ServingError(Code.NOT_FOUND, f"Servable not found for request: {which}")

    def statuses(self, name: str, version: int | None = None) -> list[Status]:
        """Return the states of a model's versions, or of one of them.

        Raises ServingError (NOT_FOUND) where there is none.
        """
        statuses = self._models[name].statuses() if name in self._models else []
        if not statuses:
            raise ServingError(Code.NOT_FOUND, f"Could not find any versions of model {name}")
        if version is None:
            return statuses
        for status in statuses:
            if status.version == version:
                return [status]
        raise ServingError(Code.NOT_FOUND, f"Could not find version {version} of model {name}")

    def poll(self) -> None:
        """Look at all models' folders once."""
        for model in self._models.values():
            model.poll()

    def unavailable(self) -> list[str]:
        """Return the names of the models that have no version to serve yet."""
        return [
            name
            for name, model in self._models.items()
            if all(status.state != State.AVAILABLE for status in model.statuses())
        ]

    def failures(self) -> list[str]:
        """Return a line for each model none of whose versions could be loaded."""
        lines = []
        for name in self.unavailable():
            statuses = self._models[name].statuses()
            if statuses and all(status.state == State.END for status in statuses):
                failed = statuses[0]
                lines.append(f"{{name: {name} version: {failed.version}}} due to error: {failed.message}")
        return lines

    def wait_until_available(self, stop: threading.Event, interval: float) -> None:
        """Poll until each model can be served, or until told to stop.

        Raises ServingError (UNKNOWN) where a model's first load ended in an error.
        """
        while not stop.is_set():
            self.poll()
            if not self.unavailable():
                return
            if failures := self.failures():
                lines = "; ".join(failures)
                raise ServingError(
                    Code.UNKNOWN, f"{len(failures)} servable(s) did not become available: {lines}"
                )
            stop.wait(interval)

    def keep_polling(self, stop: threading.Event, interval: float) -> None:
        """Poll every `interval` seconds until told to stop."""
        while not stop.wait(interval):
            try:
                self.poll()
            except Exception:
                # Without this thread no version would ever be loaded again.
                log.exception("Looking for new versions failed")

    def close(self) -> None:
        """Free all models."""
        for model in self._models.values():
            model.close()
