"""One model: loads and unloads its versions as its folder and config change, and lends them to requests."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeAlias

from tfserving.server.errors import Code, ServingError
from tfserving.server.graph.saved import SavedModel
from tfserving.server.models import attempts, versions
from tfserving.server.models.policy import Policy
from tfserving.server.models.versions import Retries, State, Status, Version

log = logging.getLogger(__name__)

Job: TypeAlias = Callable[[], None]
Submit: TypeAlias = Callable[[Job], object]


def at_once(job: Job) -> None:
    """Run a job immediately, in the calling thread."""
    job()


def not_found(name: str, number: int | None) -> ServingError:
    """Return the error for a version, or a latest version, that does not exist."""
    which = f"Latest({name})" if number is None else f"Specific({name}, {number})"
    return ServingError(Code.NOT_FOUND, f"Servable not found for request: {which}")


class Model:
    """The versions of one model. Any thread may call its methods.

    Loading and unloading are jobs for `submit_load` and `submit_unload`. Nothing here waits for them, or for
    requests that still run on a version to be unloaded.
    """

    def __init__(
        self,
        name: str,
        base_path: Path | None,
        load: Callable[[Path], SavedModel],
        retries: Retries,
        *,
        clock: Callable[[], float] = time.monotonic,
        submit_load: Submit = at_once,
        submit_unload: Submit = at_once,
    ) -> None:
        self.name = name
        self._source = (base_path, Policy())
        self._load = load
        self._retries = retries
        self._clock = clock
        self._submit_load = submit_load
        self._submit_unload = submit_unload
        self._versions: dict[int, Version] = {}
        self._folders: dict[int, Path] = {}
        self._aspired: set[int] = set()
        self._is_closed = False
        self._lock = threading.RLock()

    def configure(self, base_path: Path | None, policy: Policy) -> None:
        """Set the folder of the versions and which of them to serve; without a base path, unload all."""
        with self._lock:
            self._source = (base_path, policy)
            if base_path is None:
                self._folders = {}
        self.advance()

    def poll(self) -> None:
        """Search the folder for versions once, then start the loads and unloads that follow from it."""
        source = base_path, policy = self._source
        if base_path is None:
            return
        try:
            folders = versions.wanted(self.name, base_path, policy)
        except OSError as error:
            log.warning("Could not find base path %s for servable %s: %s", base_path, self.name, error)
            return
        with self._lock:
            # Do not undo a configuration that has changed in the meantime.
            if self._source == source:
                self._folders = folders
        self.advance()

    def advance(self) -> None:
        """Start the loads and retries that are due, and unload old versions once a new one can take over."""
        with self._lock:
            if self._is_closed:
                return
            self._aspire()
            due = [self._versions[number] for number in sorted(self._aspired, reverse=True)]
            due = [version for version in due if version.is_due(self._clock())]
            for version in due:
                version.busy, version.state = True, State.LOADING
            ready = any(self._versions[number].state == State.AVAILABLE for number in self._aspired)
            for version in list(self._versions.values()):
                if version.number not in self._aspired:
                    version.retire(replaced=ready or not self._folders)
                    self._free_if_unused(version)
        for version in due:
            self._submit_load(partial(self._try_load, version))

    def statuses(self) -> list[Status]:
        """Return the states of all versions, including former ones, the highest version first."""
        with self._lock:
            return [version.status() for _, version in sorted(self._versions.items(), reverse=True)]

    def is_available(self, number: int | None = None) -> bool:
        """Return whether a version, by default any version, is available."""
        numbers = [status.version for status in self.statuses() if status.state == State.AVAILABLE]
        return bool(numbers) if number is None else number in numbers

    def failure(self) -> Status | None:
        """Return the state of the highest version if all versions to be served have failed, else None."""
        with self._lock:
            wanted = [self._versions[number].status() for number in sorted(self._aspired, reverse=True)]
        return wanted[0] if wanted and all(status.state == State.END for status in wanted) else None

    @contextmanager
    def lease(self, number: int | None = None) -> Iterator[tuple[int, SavedModel]]:
        """Yield the number and the model of a version, by default the highest one loaded.

        The version stays loaded until the block ends. Raises ServingError (NOT_FOUND) if it is not loaded.
        """
        with self._lock:
            version = self._available(number)
            version.users += 1
        try:
            assert version.model is not None  # noqa: S101 # it is available, and stays so while it has users
            yield version.number, version.model
        finally:
            with self._lock:
                version.users -= 1
                self._free_if_unused(version)

    def close(self) -> None:
        """Free all versions immediately, and cancel the requests that run on them."""
        with self._lock:
            self._is_closed = True
            models = [version.model for version in self._versions.values() if version.model]
        for model in models:
            model.close()

    def _available(self, number: int | None) -> Version:
        loaded = [n for n, version in self._versions.items() if version.state == State.AVAILABLE]
        if number is None and loaded:
            return self._versions[max(loaded)]
        if number is not None and number in loaded:
            return self._versions[number]
        raise not_found(self.name, number)

    def _aspire(self) -> None:
        for number, folder in self._folders.items():
            known = self._versions.get(number)
            # A version that failed is retried only after its folder has been removed and added again.
            if known is None or (known.state == State.END and number not in self._aspired):
                self._versions[number] = Version(number, folder)
        # A version that is being unloaded must finish before it can be loaded again.
        self._aspired = {n for n in self._folders if self._versions[n].state != State.UNLOADING}

    def _try_load(self, version: Version) -> None:
        try:
            model = attempts.attempt(self._load, self.name, version.number, version.folder)
        except ServingError as failure:
            with self._lock:
                version.failed(failure, self._retries, self._clock())
        else:
            with self._lock:
                version.loaded(model)
        self.advance()

    def _free_if_unused(self, version: Version) -> None:
        if version.is_unused() and not self._is_closed:
            version.busy = True
            self._submit_unload(partial(self._free, version))

    def _free(self, version: Version) -> None:
        assert version.model is not None  # noqa: S101 # it was available, and this runs once
        attempts.free(version.model, self.name, version.number)
        with self._lock:
            version.freed()
        self.advance()
