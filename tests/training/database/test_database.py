import sqlite3
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import inspect, select

from training.database.engine import Database, checked_url, connect
from training.database.migrate import migrate
from training.database.tables import Model, Tables

FIELDS = {"description": "", "imports": "", "code": "model = 1", "distributed": False, "framework": "tf"}


@pytest.fixture
def new(tmp_path: Path) -> Database:
    found = connect("", tmp_path)
    migrate(found)
    return found


def test_the_migrations_make_the_tables(new: Database) -> None:
    with new.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Tables.metadata) == []
    new.close()


def test_migrations_run_once(new: Database) -> None:
    migrate(new)

    assert {"models", "results", "alembic_version"} <= {*inspect(new.engine).get_table_names()}
    new.close()


def test_sqlite_writes_ahead_so_that_readers_need_not_wait(new: Database, tmp_path: Path) -> None:
    with new.writing() as writing:
        writing.add(Model(name="digits", **FIELDS))
        writing.flush()
        with new.reading() as reading:
            assert reading.scalars(select(Model)).all() == []
    new.close()

    plain = sqlite3.connect(tmp_path / "training.sqlite3")
    assert plain.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    plain.close()


def test_writers_wait_for_each_other(new: Database) -> None:
    def add(number: int) -> None:
        with new.writing() as session:
            count = len(session.scalars(select(Model)).all())
            session.add(Model(name=f"{number} after {count}", **FIELDS))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with new.reading() as session:
        names = session.scalars(select(Model.name)).all()
    assert sorted(name.split()[-1] for name in names) == [str(count) for count in range(8)]
    new.close()


def test_an_exception_undoes_a_transaction(new: Database) -> None:
    def fail() -> None:
        with new.writing() as session:
            session.add(Model(name="digits", **FIELDS))
            session.flush()
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    with new.reading() as session:
        assert session.scalars(select(Model)).all() == []
    new.close()


@pytest.mark.parametrize(
    "url",
    ["postgresql://user:password@host/name", "postgres://host/name", "sqlite:////folder/file.db", ""],
)
def test_addresses_of_databases(url: str, tmp_path: Path) -> None:
    assert checked_url(SecretStr(url)).get_secret_value() == url
    expected = "postgresql" if url.startswith("postgres") else "sqlite"
    assert connect(url, tmp_path).engine.dialect.name == expected


@pytest.mark.parametrize("url", ["mysql://host/name", "host", "sqlite://", "sqlite:///:memory:"])
def test_addresses_that_are_wrong(url: str) -> None:
    with pytest.raises(ValueError, match="expected sqlite:////folder/file or postgresql://"):
        checked_url(SecretStr(url))
