"""The users as their file has them now."""

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from pipeline.service.settings import SettingsError
from video.access.users_file import User, UsersError, UsersFile, read
from video.version import version_of

log = logging.getLogger(__name__)

_LOOK_EVERY: Final = 1.0  # s


class Users:
    """The users by name; a change of the file is seen within a second or so.

    A file that breaks or vanishes is logged once, and the users known before stay. Raises `SettingsError`
    when it will not do from the start.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._looked = clock()
        self._version = version_of(path)
        try:
            self._file = read(path)
        except UsersError as error:
            raise SettingsError(f"USERS: {error} (python -m video.users makes and changes it)") from None

    @property
    def secret(self) -> str:
        """What sessions are signed with."""
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
            self._looked = now
            self._look()
        return self._file

    def _look(self) -> None:
        # Before reading: what changes meanwhile is then seen as a change the next time.
        version = version_of(self._path)
        if version == self._version:
            return
        self._version = version
        try:
            self._file = read(self._path)
        except UsersError as error:
            log.error("%s; the users known before stay", error)
        else:
            log.info("read the users again, there are %d", len(self._file.users))
