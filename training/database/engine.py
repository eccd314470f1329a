"""The connection to SQLite or PostgreSQL."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr
from pydantic_core import from_json, to_json
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session

_POSTGRESQL: Final = frozenset({"postgres", "postgresql", "postgresql+psycopg"})
_EXPECTED: Final = "expected sqlite:////folder/file or postgresql://user:password@host/name"
_PATIENCE: Final = 10  # s for another writer
_CONNECTIONS: Final = 8
_MORE: Final = 40  # in bursts: one for each thread that answers requests


def checked_url(secret: SecretStr) -> SecretStr:
    """Return the address of a database; raise ValueError if it is neither SQLite nor PostgreSQL."""
    if secret.get_secret_value():
        _parsed(secret.get_secret_value())
    return secret


def connect(url: str, folder: Path) -> "Database":
    """Return the database at `url`, or else the SQLite file in `folder`.

    Raises ValueError if the address is wrong; whether the database is there, its first use shows.
    """
    parsed = _parsed(url) if url else URL.create("sqlite", database=str(folder / "training.sqlite3"))
    engine = create_engine(
        parsed,
        json_serializer=lambda value: to_json(
            value, inf_nan_mode="null"
        ).decode(),  # NaN, which JSON does not have, becomes null
        json_deserializer=from_json,
        pool_size=_CONNECTIONS,
        max_overflow=_MORE,
        pool_pre_ping=parsed.get_backend_name() != "sqlite",
    )
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
    return Database(engine)


class Database:
    """Hands out sessions; each is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writing = engine.execution_options(writes=True)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a transaction that changes nothing."""
        with Session(self.engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Open a transaction; it is committed at the end, unless there is an exception."""
        with Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _parsed(text: str) -> URL:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError(_EXPECTED) from None
    if url.drivername in _POSTGRESQL:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername != "sqlite" or not url.database or url.database == ":memory:":
        raise ValueError(_EXPECTED)
    return url


def _prepare(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # `_begin` begins the transactions
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()
    connection.execute(f"PRAGMA busy_timeout={1000 * _PATIENCE}").close()


def _begin(connection: Connection) -> None:
    # A transaction that begins as a reader cannot wait for its turn to write.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
