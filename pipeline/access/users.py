"""The users, kept up to date with their file."""

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from pipeline.access.users_file import User, UsersError, UsersFile, read
from pipeline.service.settings import SettingsError

log = logging.getLogger(__name__)

_LOOK_EVERY: Final = 1.0  # s


class Users:
    """The users by name; a change of the file takes effect within about a second.

    If the file becomes invalid or disappears, that is logged once, and the previous users stay. Raises
    `SettingsError` if the file is invalid at the start.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._looked = clock()
        self._version = _version(path)
        try:
            self._file = read(path)
        except UsersError as error:
            raise SettingsError(
                f"USERS: {error} (create and edit it with python -m pipeline.users)"
            ) from None

    @property
    def secret(self) -> str:
        """The secret that signs sessions."""
        return self._current().secret

    def get(self, name: str) -> User | None:
        """Return the user of this name."""
        return self._current().users.get(name)

    def __iter__(self) -> Iterator[tuple[str, User]]:
        """Yield names and users."""
        return iter(self._current().users.items())

    def _current(self) -> UsersFile:
        now = self._clock()
        if now - self._looked >= _LOOK_EVERY:
            self.look()
        return self._file

    def look(self) -> None:
        """Let a change of the file take effect now."""
        self._looked = self._clock()
        # Before reading, so that a change made meanwhile is noticed the next time.
        version = _version(self._path)
        if version == self._version:
            return
        self._version = version
        try:
            self._file = read(self._path)
        except UsersError as error:
            log.error("%s; keeping the previous users", error)
        else:
            log.info("users file read again (users: %d)", len(self._file.users))


def _version(path: Path) -> tuple[int, int, int] | None:
    """Return something that changes with the file; None if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
