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
_ABANDONED: Final = 600  # s after which a server ends the transaction of a service that is silent
_WRITERS: Final = 7_716_224  # a number of ours among PostgreSQL's advisory locks
# A connection whose other end has vanished counts as lost after 8 s, and so does a new one that is not
# accepted: both together take less time than a worker may be silent. The last one is in ms.
_WATCHED: Final = {
    "connect_timeout": 8,
    "keepalives_idle": 4,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 8_000,
}
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
    is_sqlite = parsed.get_backend_name() == "sqlite"
    watched = {name: value for name, value in _WATCHED.items() if name not in parsed.query}
    engine = create_engine(
        parsed,
        connect_args={} if is_sqlite else watched,
        json_serializer=lambda value: to_json(
            value, inf_nan_mode="null"
        ).decode(),  # NaN, which JSON does not have, becomes null
        json_deserializer=from_json,
        pool_size=_CONNECTIONS,
        max_overflow=_MORE,
        pool_pre_ping=not is_sqlite,
    )
    event.listen(engine, "connect", _prepare if is_sqlite else _limit)
    event.listen(engine, "begin", _begin if is_sqlite else _queue)
    return Database(engine)


class Database:
    """Hands out sessions; each is one transaction. Those that write wait for each other."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        # All that one transaction reads is of one moment. SQLite's are so by themselves.
        is_sqlite = engine.dialect.name == "sqlite"
        self._reading = engine if is_sqlite else engine.execution_options(isolation_level="REPEATABLE READ")
        self._writing = engine.execution_options(writes=True)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a transaction that changes nothing."""
        with Session(self._reading) as session:
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


def _limit(connection: Any, _: Any) -> None:
    """Set how long the server waits for us: a service whose machine is lost must not keep its lock."""
    limits = {
        "lock_timeout": f"{_PATIENCE}s",
        "idle_in_transaction_session_timeout": f"{_ABANDONED}s",
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "3",
    }
    for name, value in limits.items():
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    connection.commit()


def _queue(connection: Connection) -> None:
    # Otherwise two of them could both read, and then both write what only one may.
    if connection.get_execution_options().get("writes", False):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS})")
