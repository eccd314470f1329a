"""The models that are served, by name, version and label. A config replaces them as a whole."""

import logging
import math
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from tfserving.server.errors import Code, ServingError, invalid
from tfserving.server.graph.saved import SavedModel
from tfserving.server.models import config, labels, waiting
from tfserving.server.models.config import ModelConfig
from tfserving.server.models.model import Model, not_found
from tfserving.server.models.policy import Policy
from tfserving.server.models.versions import Status

log = logging.getLogger(__name__)


class Catalog:
    """The models by name. Any thread may call its methods."""

    def __init__(
        self,
        models: Iterable[Model] = (),
        *,
        make: Callable[[str], Model] | None = None,
        allow_unavailable_labels: bool = False,
    ) -> None:
        """Take the initial models, and `make`, which returns a new model without a folder.

        Without `make`, a config cannot add models.
        """
        self._models = {model.name: model for model in models}
        self._configs: Mapping[str, ModelConfig] | None = None
        self._labels: labels.Labels = {}
        self._make = make
        self._allow_unavailable_labels = allow_unavailable_labels
        self._changing = threading.Lock()
        self._closed = threading.Event()

    @contextmanager
    def lease(
        self, name: str, version: int | None = None, label: str | None = None
    ) -> Iterator[tuple[int, SavedModel]]:
        """Yield the number and the model of a version, by default the highest one loaded.

        The version stays loaded until the block ends. Raises ServingError: INVALID_ARGUMENT for an unknown
        label, NOT_FOUND for an unknown model and for a version that is not loaded.
        """
        with ExitStack() as lent:
            while True:
                current = self._labels
                number = version if label is None else _labelled(current, name, label)
                if name not in self._models:
                    raise not_found(name, number)
                try:
                    leased = lent.enter_context(self._models[name].lease(number))
                    break
                except ServingError:
                    # The label may have moved since the lookup, and the version may have been unloaded.
                    if label is None or current is self._labels:
                        raise
            yield leased

    def statuses(self, name: str, version: int | None = None) -> list[Status]:
        """Return the states of a model's versions, or of one of them, the highest version first.

        Raises ServingError (NOT_FOUND) if there is none.
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

    def reload(self, message: Any, timeout: float = math.inf) -> None:
        """Apply a ModelServerConfig, and return once every new model in it is available.

        The config replaces the previous one completely: models that it does not name are unloaded, and labels
        that it does not name are removed. A refused config changes nothing. Raises ServingError:
        INVALID_ARGUMENT or FAILED_PRECONDITION if the config is refused; UNKNOWN if a new model cannot be
        loaded, or DEADLINE_EXCEEDED if one is not available after `timeout` s, with the config applied.
        """
        new = self.reconfigure(message)
        if waiting.wait(partial(self._unsettled, new), self._closed, timeout):
            raise ServingError(Code.UNAVAILABLE, "The server is shutting down")
        waiting.check((self._models[name] for name in new), "model(s)")

    def reconfigure(self, message: Any) -> set[str]:
        """Apply a ModelServerConfig as `reload` does, but return the new models' names immediately."""
        with self._changing:
            kind = message.WhichOneof("config")
            if self._configs is not None and kind != "model_config_list":
                raise ServingError(
                    Code.FAILED_PRECONDITION,
                    "Cannot transition to requested config. It is only legal to transition from one"
                    " ModelConfigList to another.",
                )
            if kind is None:
                log.info("Taking no action for empty config.")
                return set()
            if kind != "model_config_list":
                raise ServingError(
                    Code.UNIMPLEMENTED, "ModelServer does not yet support custom model config."
                )
            wanted = config.models(message)
            before = self._configs or {}
            config.check_unchanged_platforms(before, wanted)
            assigned = labels.assign(
                wanted.values(),
                self._labels,
                lambda name, version: name in self._models and self._models[name].is_available(version),
                allow_unavailable=self._allow_unavailable_labels,
            )
            config.check_platforms(wanted.values())
            self._apply(before, wanted, assigned)
        return set(wanted) - set(before)

    def poll(self) -> None:
        """Search all models' folders for versions once."""
        for model in list(self._models.values()):
            model.poll()

    def wait_until_available(self, stop: threading.Event) -> None:
        """Return once every model is available or `stop` is set.

        Raises ServingError (UNKNOWN) if a model failed to load, once all others have loaded or failed.
        """
        names = set(self._configs or ())
        if not waiting.wait(partial(self._unsettled, names), stop):
            waiting.check((self._models[name] for name in names), "servable(s)")

    def advance(self) -> None:
        """Start all loads, retries and unloads that are due."""
        for model in list(self._models.values()):
            model.advance()

    def close(self) -> None:
        """Free all models."""
        self._closed.set()
        for model in list(self._models.values()):
            model.close()

    def _apply(
        self, before: Mapping[str, ModelConfig], wanted: Mapping[str, ModelConfig], assigned: labels.Labels
    ) -> None:
        if wanted != before:
            log.info("Adding/updating models.")
        models = dict(self._models)
        for name in wanted:
            if name not in models:
                if self._make is None:
                    raise ServingError(Code.UNIMPLEMENTED, "This catalog cannot add models")
                models[name] = self._make(name)
        self._models, self._labels, self._configs = models, assigned, wanted
        for name, model in models.items():
            if name in wanted:
                model.configure(wanted[name].base_path, wanted[name].policy)
                model.poll()
            elif name in before:
                model.configure(None, Policy())

    def _unsettled(self, names: Iterable[str]) -> list[str]:
        """Return which of the models are still configured, and neither available nor failed."""
        current = self._configs or {}
        models = [self._models[name] for name in names if name in current]
        return [model.name for model in models if not (model.is_available() or model.failure())]


def _labelled(current: labels.Labels, name: str, label: str) -> int:
    version = current.get(name, {}).get(label)
    if version is None:
        raise invalid(f"Unrecognized servable version label: {label}")
    return version
