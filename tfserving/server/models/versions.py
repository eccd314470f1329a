"""The versions of a model: their folders on disk, and their states."""

import logging
import re
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from tfserving.server.errors import Code, ServingError
from tfserving.server.graph.saved import SavedModel
from tfserving.server.models.policy import Policy

log = logging.getLogger(__name__)

_NUMBER = re.compile(r"[0-9]+")


class State(IntEnum):
    """The states of a version, as clients see them."""

    UNKNOWN = 0
    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclass(frozen=True, slots=True)
class Status:
    """The state of one version. The code and the message say why it could not be loaded."""

    version: int
    state: State
    code: Code = Code.OK
    message: str = ""


@dataclass(frozen=True, slots=True)
class Retries:
    """How often loading a version is retried, and the seconds between attempts."""

    count: int = 5
    interval: float = 60.0


@dataclass(slots=True)
class Version:
    """One version and its state. `users` counts the requests that run on it.

    `busy` is set while a thread loads or frees it.
    """

    number: int
    folder: Path
    state: State = State.START
    model: SavedModel | None = None
    users: int = 0
    busy: bool = False
    attempts: int = 0
    next_attempt: float = 0.0
    code: Code = Code.OK
    message: str = ""

    def status(self) -> Status:
        """Return its state as clients see it."""
        return Status(self.number, self.state, self.code, self.message)

    def is_due(self, now: float) -> bool:
        """Return whether it is time to load it."""
        return not self.busy and self.state in {State.START, State.LOADING} and now >= self.next_attempt

    def is_unused(self) -> bool:
        """Return whether it is time to free it."""
        return self.state == State.UNLOADING and not self.users and not self.busy

    def retire(self, *, replaced: bool) -> None:
        """Stop serving it: if it is loaded, only once another version replaces it."""
        if self.busy:
            return
        if self.state in {State.START, State.LOADING}:
            self.state = State.END
        elif self.state == State.AVAILABLE and replaced:
            self.state = State.UNLOADING

    def loaded(self, model: SavedModel) -> None:
        """Record that it is loaded."""
        self.model, self.state, self.busy = model, State.AVAILABLE, False

    def failed(self, failure: ServingError, retries: Retries, now: float) -> None:
        """Record that it could not be loaded: it waits for the next attempt, or has ended."""
        self.busy = False
        self.attempts += 1
        self.next_attempt = now + retries.interval
        if self.attempts > retries.count:
            self.state, self.code, self.message = State.END, failure.code, failure.message

    def freed(self) -> None:
        """Record that it is unloaded."""
        self.model, self.state, self.busy = None, State.END, False


def find(base: Path) -> dict[int, Path]:
    """Return the folders in a base path whose entire name is a version number, by number.

    Raises OSError if the base path cannot be read.
    """
    found: dict[int, Path] = {}
    for child in sorted(base.iterdir()):
        if not _NUMBER.fullmatch(child.name) or int(child.name) >= 2**63 or not child.is_dir():
            continue
        number = int(child.name)
        if number in found:
            log.warning(
                "Duplicate version directories detected. Version %d will be loaded from %s,"
                " %s will be ignored.",
                number,
                child.name,
                found[number].name,
            )
        found[number] = child
    return found


def wanted(name: str, base: Path, policy: Policy) -> dict[int, Path]:
    """Return the folders of the versions to serve, by number, and log missing versions.

    Raises OSError if the base path cannot be read.
    """
    found = find(base)
    for number in policy.missing(found):
        log.warning(
            "Version %d of servable %s, which was requested to be served as a 'specific' version in the"
            " servable's version policy, was not found in the file system",
            number,
            name,
        )
    chosen = policy.choose(found)
    if not chosen:
        log.warning(
            "No versions of servable %s found under base path %s."
            " Did you forget to name your leaf directory as a number (eg. '/1/')?",
            name,
            base,
        )
    return {number: found[number] for number in chosen}
