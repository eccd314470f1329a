"""Keeps a folder as the training service's model store is."""

import http.client
import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from pipeline.service.logs import Seldom
from pipeline.service.workers import Pulse
from training.versions import config
from training.versions.archive import ArchiveError
from training.versions.library import CONFIG, served
from training.versions.sidecar.source import Source, SourceError
from training.versions.store import Store

log = logging.getLogger(__name__)
_seldom: Final = Seldom(log)

_LONG: Final = 3600.0  # s for a version to arrive


class Mirror:
    """Fetches the newest served version of each model, and deletes those that the service has deleted.

    The newest version of a model always stays. `others` are models that are served from elsewhere, each with
    the folder of its versions; `interval` is the time between two looks, in s.
    """

    def __init__(self, source: Source, folder: Path, others: Mapping[str, str], interval: float) -> None:
        self._source = source
        self._folder = folder
        self._others = {name: Path(path) for name, path in others.items()}
        self._interval = interval

    def start(self) -> None:
        """Let the server start with what is here. Raises OSError if the folder cannot be written."""
        self._folder.mkdir(parents=True, exist_ok=True)
        config.write(self._folder / CONFIG, {**served(self._folder), **self._others})

    def run(self, pulse: Pulse) -> None:
        """Look from time to time until `pulse.stopping` is set."""
        pulse.quiet = _LONG
        while not pulse.stopping.is_set():
            self.look()
            pulse.beat()
            pulse.stopping.wait(self._interval)

    def look(self) -> None:
        """Fetch what is new, and delete what is gone."""
        try:
            found = self._source.served()
        except SourceError as error:
            _seldom.warning("source", str(error))
            return
        for model, versions in found.items():
            if model in self._others:
                _seldom.warning(model, f"{model} is not fetched: the server has a model of this name")
            elif versions:
                self._follow(Store(self._folder, model), versions)
        try:
            self.start()
        except OSError as error:
            _seldom.warning("config", f"{error.filename or self._folder}: {error.strerror}")

    def _follow(self, store: Store, versions: list[int]) -> None:
        newest = versions[0]
        try:
            if newest not in store.versions():
                store.insert(newest, partial(self._source.fetch, store.model, newest))
                log.info("version %d of %s is here", newest, store.model)
            for number in store.versions()[:-1]:
                if number not in versions:
                    store.remove(number)
                    log.info("version %d of %s was deleted", number, store.model)
        except (SourceError, ArchiveError) as error:
            _seldom.warning(store.model, f"version {newest} of {store.model}: {error}")
        except (OSError, http.client.HTTPException) as error:
            why = getattr(error, "strerror", None) or error
            _seldom.warning(store.model, f"version {newest} of {store.model} cannot be kept: {why}")
