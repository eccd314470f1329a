"""Finds out whether the database answers and can be written, for `/readyz`."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection

from pipeline.service.masking import hide
from pipeline.service.workers import Pulse
from training.database.engine import Database

_EVERY: Final = 5.0  # s between two looks
_SLOW: Final = 60.0  # s that a look may take, more than all the waits for a database together
# These change nothing, but only succeed where a change would: SQLite must write to its disk for it.
_WRITES: Final = {
    "sqlite": "PRAGMA user_version = 0",
    "postgresql": "UPDATE alembic_version SET version_num = version_num",
}


class DatabaseWatch:
    """A worker and what it has found. A database that is slow is no reason to restart the service."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._write = text(_WRITES[database.engine.dialect.name])
        self._reason: str | None = None

    def run(self, pulse: Pulse) -> None:
        """Look every few seconds, until the pulse says stop."""
        pulse.quiet = _SLOW
        while not pulse.stopping.is_set():
            self.look()
            pulse.beat()
            pulse.stopping.wait(_EVERY)

    def look(self) -> None:
        """Write to the database, waiting for it."""
        try:
            with self._database.writing() as session:
                session.execute(self._write)
        except (DBAPIError, NoConnection) as error:
            self._reason = f"the database cannot be used: {cause(error)}"
        else:
            self._reason = None

    def why(self) -> str | None:
        """Return in one line why the database could not be used at the last look, or None."""
        return self._reason


def cause(error: Exception) -> str:
    """Return in one line, without secrets, what the database says in one of SQLAlchemy's errors."""
    return hide(" ".join(str(getattr(error, "orig", None) or error).split()))
