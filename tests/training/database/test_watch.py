"""Whether the database can be used: SQLite and a real PostgreSQL that are away, locked or read-only."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from pipeline.service.workers import Pulse
from tests.postgresql import PostgreSQL
from tests.training.conftest import EACH_DATABASE, address
from training.database import engine, watch
from training.database.engine import Database, connect
from training.database.migrate import migrate
from training.database.watch import DatabaseWatch


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A SQLite file with all tables."""
    database = connect("", tmp_path)
    migrate(database)
    database.close()
    return tmp_path / "training.sqlite3"


@pytest.fixture(params=EACH_DATABASE)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    found = connect(address(request), tmp_path)
    migrate(found)
    yield found
    found.close()


def looked(database: Database) -> str | None:
    """Return what a new watch finds."""
    found = DatabaseWatch(database)
    found.look()
    return found.why()


def test_a_database_that_can_be_written_has_no_reason(database: Database) -> None:
    assert looked(database) is None


def test_a_look_writes(file: Path) -> None:
    database = connect("", file.parent)
    log = file.with_name(f"{file.name}-wal")
    with database.reading() as session:
        session.execute(text("SELECT 1"))
    before = log.stat().st_size

    looked(database)

    assert log.stat().st_size > before
    database.close()


def test_a_file_that_may_only_be_read(file: Path) -> None:
    database = connect(f"sqlite:///file:{file}?mode=ro&uri=true", file.parent)

    assert looked(database) == "the database cannot be used: attempt to write a readonly database"
    database.close()


def test_a_file_that_another_program_has_locked_until_it_lets_go(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_PATIENCE", 0)
    database = connect("", file.parent)
    found = DatabaseWatch(database)
    other = sqlite3.connect(file, isolation_level=None)

    other.execute("BEGIN IMMEDIATE")
    found.look()
    locked = found.why()
    other.close()
    found.look()

    assert (locked, found.why()) == ("the database cannot be used: database is locked", None)
    database.close()


def test_a_server_that_only_lets_read(postgresql: PostgreSQL, tmp_path: Path) -> None:
    """As a standby does that has not yet taken over."""
    url = postgresql.create()
    first = connect(url, tmp_path)
    migrate(first)
    first.close()
    database = connect(f"{url}?options=-c%20default_transaction_read_only%3Don", tmp_path)

    assert (looked(database) or "").endswith("cannot execute UPDATE in a read-only transaction")
    database.close()


def test_a_server_that_is_away_is_named_without_its_password(postgresql: PostgreSQL, tmp_path: Path) -> None:
    database = connect(postgresql.create(), tmp_path)
    migrate(database)
    postgresql.stop()
    try:
        why = looked(database) or ""
    finally:
        postgresql.start()

    assert why.startswith("the database cannot be used: ")
    assert "\n" not in why
    assert "sesame" not in why
    assert looked(database) is None
    database.close()


def test_the_worker_looks_until_it_is_stopped_and_may_be_slow(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_EVERY", 0.01)
    database = connect("", file.parent)
    pulse = Pulse(threading.Event())
    looks: list[None] = []

    class Watch(DatabaseWatch):
        def look(self) -> None:
            super().look()
            looks.append(None)
            if len(looks) == 3:
                pulse.stopping.set()

    Watch(database).run(pulse)

    assert len(looks) == 3
    assert pulse.quiet > engine._PATIENCE + 2 * engine._WATCHED["connect_timeout"]
    database.close()
