"""All models in `MODELSTORE`."""

import logging
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pipeline.service.logs import Seldom
from training.space import why_full
from training.versions import config
from training.versions.names import model_name
from training.versions.store import Fill, Store, VersionError, metadata

log = logging.getLogger(__name__)
_seldom: Final = Seldom(log)

CONFIG: Final = "models.config"
"""The file in `MODELSTORE` for TensorFlow Serving's `--model_config_file`."""

_EVERY: Final = 5.0  # s between two rounds of tidying
_TICK: Final = 0.25  # s
_SHOWN: Final = (
    "result",
    "deployment",
    "created",
    "promoted",
    "parent",
    "seed",
    "offsets",
    "input_format",
    "metrics",
)


class Library:
    """The versions of all models. The newest `keep` of each model are kept.

    `others` are models that are served from elsewhere, each with the folder of its versions.
    """

    def __init__(self, folder: Path, keep: int, others: Mapping[str, Path] | None = None) -> None:
        self.folder = folder
        self._keep = keep
        self._others = dict(others or {})
        self._lock = threading.Lock()
        self._tidy_at = 0.0

    def models(self) -> list[str]:
        """Return the names of the models that have versions, or candidates."""
        return [
            name
            for name in _folders(self.folder)
            if self._store(name).versions() or self._store(name).candidates()
        ]

    def listed(self, model: str) -> list[dict[str, Any]]:
        """Return what the API shows about each version, the newest first. Raises VersionError."""
        store = self._known(model)
        served = store.versions()
        numbers = sorted({*served, *store.candidates()}, reverse=True)
        return [self._described(store, number, served) for number in numbers]

    def described(self, model: str, version: int) -> dict[str, Any]:
        """Return all that is known about a version. Raises VersionError."""
        store = self._known(model)
        place = store.place(version)
        if place is None:
            raise VersionError(f"there is no version {version} of {model}")
        return {**metadata(place), **self._described(store, version, store.versions())}

    def place(self, model: str, version: int) -> Path:
        """Return the folder of a served version. Raises VersionError."""
        store = self._known(model)
        if version not in store.versions():
            raise VersionError(f"version {version} of {model} is not served")
        return store.folder / str(version)

    def add(self, model: str, fill: Fill, facts: Mapping[str, Any], *, is_served: bool) -> int:
        """Add a version; see `Store.add`."""
        version, folder = self._store(model).add(fill, facts, is_served=is_served)
        log.info("version %d of %s is in %s", version, model, folder)
        self.tidy()
        return version

    def promote(self, model: str, version: int) -> int:
        """Let a version be served; see `Store.promote`."""
        with self._lock:
            number = self._known(model).promote(version)
        log.info("version %d of %s is served as version %d", version, model, number)
        self.tidy()
        return number

    def remove(self, model: str, version: int) -> None:
        """Delete a version; see `Store.remove`."""
        with self._lock:
            self._known(model).remove(version)
        log.info("version %d of %s was deleted", version, model)

    def why_full(self) -> str | None:
        """Return in one line that there is no room for another version, or None."""
        return why_full(self.folder)

    def step(self) -> None:
        """Tidy from time to time; wait a moment: for the service."""
        time.sleep(_TICK)
        if time.monotonic() >= self._tidy_at:
            self.tidy()

    def tidy(self) -> None:
        """Delete old versions, and write the file for TensorFlow Serving."""
        self._tidy_at = time.monotonic() + _EVERY
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._lock:
                for name in self.models():
                    if removed := self._store(name).clean(self._keep):
                        log.info("deleted old versions of %s: %s", name, ", ".join(map(str, removed)))
                config.write(self.folder / CONFIG, {**served(self.folder), **self._others})
        except OSError as error:
            _seldom.warning("tidy", f"{error.filename or self.folder}: {error.strerror}: versions stay")

    def _store(self, model: str) -> Store:
        return Store(self.folder, model)

    def _known(self, model: str) -> Store:
        if model not in self.models():
            raise VersionError(f"there is no version of {model}")
        return self._store(model)

    @staticmethod
    def _described(store: Store, number: int, served: list[int]) -> dict[str, Any]:
        place = store.place(number)
        facts = metadata(place) if place else {}
        is_newest = number in served[-1:]
        state = "served" if is_newest else "old" if number in served else "candidate"
        return {"version": number, "state": state, **{name: facts.get(name) for name in _SHOWN}}


def served(folder: Path) -> dict[str, Path]:
    """Return the models with a served version in a folder, each with the folder of its versions."""
    stores = (Store(folder, name) for name in _folders(folder))
    return {store.model: store.folder for store in stores if store.versions()}


def _folders(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            found = [each.name for each in entries if each.is_dir() and not each.name.startswith(".")]
    except FileNotFoundError:
        return []
    return sorted(map(model_name, found))
