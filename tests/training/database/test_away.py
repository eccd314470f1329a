"""A PostgreSQL that goes away, and comes back."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from tests.postgresql import PostgreSQL
from tests.training.database.test_database import FIELDS
from training.database import engine
from training.database.engine import Database, connect
from training.database.migrate import migrate
from training.database.tables import Model

GOES = pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])


@pytest.fixture
def database(postgresql: PostgreSQL, tmp_path: Path) -> Iterator[Database]:
    found = connect(postgresql.create(), tmp_path)
    migrate(found)
    yield found
    found.close()


def names(database: Database) -> list[str]:
    with database.reading() as session:
        return [*session.scalars(select(Model.name))]


def add(database: Database, name: str) -> None:
    with database.writing() as session:
        session.add(Model(name=name, **FIELDS))


@GOES
def test_after_it_has_come_back_everything_goes_on(
    how: signal.Signals, postgresql: PostgreSQL, database: Database
) -> None:
    add(database, "before")
    postgresql.stop(how)
    try:
        for act in (lambda: names(database), lambda: add(database, "meanwhile")):
            with pytest.raises(OperationalError):
                act()
    finally:
        postgresql.start()

    add(database, "after")

    assert names(database) == ["before", "after"]


@GOES
def test_a_transaction_that_it_interrupts_is_undone(
    how: signal.Signals, postgresql: PostgreSQL, database: Database
) -> None:
    def interrupted() -> None:
        with database.writing() as session:
            session.add(Model(name="first", **FIELDS))
            session.flush()
            postgresql.stop(how)
            session.add(Model(name="second", **FIELDS))

    try:
        with pytest.raises(DBAPIError):
            interrupted()
    finally:
        postgresql.start()

    assert names(database) == []
    add(database, "after")


def test_a_writer_that_has_gone_silent_does_not_keep_the_others_waiting(
    postgresql: PostgreSQL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when its machine was lost; the server ends its transaction."""
    url = postgresql.create()
    monkeypatch.setattr(engine, "_ABANDONED", 1)
    silent = connect(url, tmp_path)
    migrate(silent)
    other = connect(url, tmp_path)

    def keep_silent() -> None:
        with silent.writing() as session:
            session.execute(text("SELECT 1"))
            add(other, "other")

    with pytest.raises(DBAPIError):
        keep_silent()

    assert names(other) == ["other"]
    silent.close()
    other.close()


def test_the_server_looks_whether_the_service_is_still_there(database: Database) -> None:
    with database.reading() as session:
        shown = [
            session.scalar(text(f"SHOW {name}"))
            for name in ("tcp_keepalives_idle", "lock_timeout", "idle_in_transaction_session_timeout")
        ]

    assert shown == ["10", "10s", "10min"]
