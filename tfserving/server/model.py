"""One model: its versions loaded and unloaded as its folder changes, and lent to requests."""

import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tfserving.server import versions
from tfserving.server.errors import Code, ServingError
from tfserving.server.saved import SavedModel
from tfserving.server.versions import Retries, State, Status, Version

log = logging.getLogger(__name__)


class Model:
    """The versions of one model. `poll` is called from one thread, all else from any."""

    def __init__(
        self,
        name: str,
        base_path: Path,
        load: Callable[[Path], SavedModel],
        retries: Retries,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.base_path = base_path
        self._load = load
        self._retries = retries
        self._clock = clock
        self._versions: dict[int, Version] = {}
        self._aspired: set[int] = set()
        self._changed = threading.Condition()

    def poll(self) -> None:
        """Look at the folder once: load the version that is wanted, then unload the others."""
        try:
            found = versions.find(self.base_path)
        except OSError:
            log.warning("Could not find base path %s for servable %s", self.base_path, self.name)
            return
        if not found:
            log.warning(
                "No versions of servable %s found under base path %s."
                " Did you forget to name your leaf directory as a number (eg. '/1/')?",
                self.name,
                self.base_path,
            )
        self._aspire({number: found[number] for number in versions.latest(found)})
        for number in sorted(self._aspired, reverse=True):
            self._try_load(self._versions[number])
        ready = any(self._versions[number].state == State.AVAILABLE for number in self._aspired)
        if ready or not self._aspired:
            for version in list(self._versions.values()):
                if version.number not in self._aspired:
                    self._unload(version)

    def statuses(self) -> list[Status]:
        """Return the state of every version ever managed, the highest first."""
        with self._changed:
            return [
                Status(version.number, version.state, version.code, version.message)
                for _, version in sorted(self._versions.items(), reverse=True)
            ]

    @contextmanager
    def lease(self, number: int | None = None) -> Iterator[tuple[int, SavedModel]]:
        """Lend a version, the highest loaded one by default: its number and model, loaded until given back.

        Raises ServingError (NOT_FOUND) where it is not loaded.
        """
        with self._changed:
            version = self._available(number)
            version.users += 1
        try:
            assert version.model is not None  # noqa: S101 # it is available, and stays so while it has users
            yield version.number, version.model
        finally:
            with self._changed:
                version.users -= 1
                self._changed.notify_all()

    def close(self) -> None:
        """Free all versions at once, cancelling the requests that run on them."""
        with self._changed:
            models = [version.model for version in self._versions.values() if version.model]
        for model in models:
            model.close()

    def _available(self, number: int | None) -> Version:
        loaded = [n for n, version in self._versions.items() if version.state == State.AVAILABLE]
        if number is None and loaded:
            return self._versions[max(loaded)]
        if number is not None and number in loaded:
            return self._versions[number]
        which = f"Latest({self.name})" if number is None else f"Specific({self.name}, {number})"
        raise ServingError(Code.NOT_FOUND, f"Servable not found for request: {which}")

    def _aspire(self, folders: dict[int, Path]) -> None:
        with self._changed:
            for number, folder in folders.items():
                known = self._versions.get(number)
                # One that ended is begun anew only after its folder was away.
                if known is None or (known.state == State.END and number not in self._aspired):
                    self._versions[number] = Version(number, folder)
            self._aspired = set(folders)

    def _try_load(self, version: Version) -> None:
        if version.state not in {State.START, State.LOADING} or self._clock() < version.next_attempt:
            return
        self._set(version, State.LOADING)
        started = self._clock()
        try:
            version.model = self._load(version.folder)
        except ServingError as failure:
            version.attempts += 1
            version.next_attempt = self._clock() + self._retries.interval
            log.error(
                "Loading servable: {name: %s version: %d} failed: %s: %s",
                self.name,
                version.number,
                failure.code.name,
                failure.message,
            )
            if version.attempts > self._retries.count:
                version.code, version.message = failure.code, failure.message
                self._set(version, State.END)
            return
        self._set(version, State.AVAILABLE)
        log.info(
            "Successfully loaded servable version {name: %s version: %d} in %.1f s",
            self.name,
            version.number,
            self._clock() - started,
        )

    def _unload(self, version: Version) -> None:
        if version.state == State.END:
            return
        self._set(version, State.UNLOADING)
        with self._changed:
            self._changed.wait_for(lambda: not version.users)
        if version.model is not None:
            version.model.close()
            version.model = None
            # A graph is full of reference cycles and may hold gigabytes.
            gc.collect()
            log.info("Done unloading servable version {name: %s version: %d}", self.name, version.number)
        self._set(version, State.END)

    def _set(self, version: Version, state: State) -> None:
        with self._changed:
            version.state = state
