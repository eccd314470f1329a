import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import Boolean, MetaData, delete, insert, inspect, select
from sqlalchemy.exc import IntegrityError, OperationalError

from tests.training.conftest import EACH_DATABASE, address
from training.database import engine
from training.database.engine import Database, checked_url, connect
from training.database.migrate import migrate
from training.database.tables import Configuration, Deployment, Model, Tables

FIELDS = {"description": "", "imports": "", "code": "model = 1", "distributed": False, "framework": "tf"}


@pytest.fixture(params=EACH_DATABASE)
def url(request: pytest.FixtureRequest) -> str:
    """The address of a new database, empty for that in the folder."""
    return address(request)


@pytest.fixture
def new(url: str, tmp_path: Path) -> Iterator[Database]:
    """A database with all tables."""
    found = connect(url, tmp_path)
    migrate(found)
    yield found
    found.close()


def test_the_migrations_make_the_tables(new: Database) -> None:
    with new.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Tables.metadata) == []


def test_rows_of_the_first_version_are_kept(url: str, tmp_path: Path) -> None:
    database = connect(url, tmp_path)
    migrate(database, "0001")
    made = {
        "time": datetime(2026, 3, 1, tzinfo=timezone(timedelta())),
        "data_restriction": {},
        **dict.fromkeys(("optimizer", "loss", "metrics", "agg_strategy"), "a"),
        **dict.fromkeys((f"{name}_kwargs_{use}" for name in ("tf", "pth") for use in ("fit", "val")), ""),
    }
    tables = MetaData()
    tables.reflect(database.engine)
    with database.writing() as session:
        session.add(Configuration(name="all", description=""))
        session.flush()
        table = tables.tables["deployments"]
        needed = {each.name: 1 for each in table.columns if not each.nullable and each.name != "id"}
        flags = {each.name: True for each in table.columns if isinstance(each.type, Boolean)}
        session.execute(insert(table).values({**needed, **flags, **made}))

    migrate(database)

    with database.reading() as session:
        (found,) = session.scalars(select(Deployment))
        assert (found.node_selector, found.tolerations, found.optimizer) == ({}, [], "a")
    database.close()


def test_migrations_run_once(new: Database) -> None:
    migrate(new)

    assert {"models", "results", "alembic_version"} <= {*inspect(new.engine).get_table_names()}


def test_services_that_start_at_the_same_time_migrate_in_turn(url: str, tmp_path: Path) -> None:
    databases = [connect(url, tmp_path) for _ in range(4)]

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(migrate, databases)) == [None] * 4

    for each in databases:
        assert "models" in inspect(each.engine).get_table_names()
        each.close()


def test_readers_need_not_wait_for_writers(new: Database) -> None:
    with new.writing() as writing:
        writing.add(Model(name="digits", **FIELDS))
        writing.flush()
        with new.reading() as reading:
            assert reading.scalars(select(Model)).all() == []


def test_what_a_transaction_reads_is_of_one_moment(new: Database) -> None:
    with new.reading() as reading:
        assert reading.scalars(select(Model.name)).all() == []
        with new.writing() as writing:
            writing.add(Model(name="digits", **FIELDS))
        assert reading.scalars(select(Model.name)).all() == []

    with new.reading() as reading:
        assert reading.scalars(select(Model.name)).all() == ["digits"]


def test_sqlite_writes_ahead(tmp_path: Path) -> None:
    database = connect("", tmp_path)
    migrate(database)
    database.close()

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


def test_a_writer_that_waits_too_long_fails(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_PATIENCE", 1)
    database = connect(url, tmp_path)
    migrate(database)

    def add(name: str) -> None:
        with database.writing() as session:
            session.add(Model(name=name, **FIELDS))

    with database.writing() as first:
        first.add(Model(name="first", **FIELDS))
        first.flush()
        with pytest.raises(OperationalError, match="lock"):
            add("second")

    add("third")
    with database.reading() as session:
        assert session.scalars(select(Model.name).order_by(Model.id)).all() == ["first", "third"]
    database.close()


def test_ids_are_not_used_again(new: Database) -> None:
    for _ in range(2):
        with new.writing() as session:
            model = Model(name="digits", **FIELDS)
            session.add(model)
            session.flush()
            session.delete(model)

    with new.writing() as session:
        model = Model(name="digits", **FIELDS)
        session.add(model)
        session.flush()
        assert model.id == 3


def test_times_are_in_utc_whatever_the_zone_of_the_server_is(new: Database) -> None:
    time = datetime(2026, 3, 1, 23, 30, 0, 123456, tzinfo=timezone(timedelta(hours=-8)))
    with new.writing() as session:
        session.add(Model(name="digits", **FIELDS, created_at=time))

    with new.reading() as session:
        found = session.scalars(select(Model).where(Model.created_at == time)).one().created_at
    assert (found, found.utcoffset()) == (time, timedelta())


def test_a_row_that_others_need_cannot_be_deleted(new: Database) -> None:
    with new.writing() as session:
        model = Model(name="digits", **FIELDS)
        session.add(Configuration(name="all", description="", ml_models=[model]))

    def remove() -> None:
        with new.writing() as session:
            session.execute(delete(Model))

    with pytest.raises(IntegrityError):
        remove()

    with new.reading() as session:
        assert session.scalars(select(Model.name)).all() == ["digits"]


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


@pytest.mark.parametrize(
    "text",
    ["postgresql://user:password@host/name", "postgres://host/name", "sqlite:////folder/file.db", ""],
)
def test_addresses_of_databases(text: str, tmp_path: Path) -> None:
    assert checked_url(SecretStr(text)).get_secret_value() == text
    expected = "postgresql" if text.startswith("postgres") else "sqlite"
    assert connect(text, tmp_path).engine.dialect.name == expected


@pytest.mark.parametrize("text", ["mysql://host/name", "host", "sqlite://", "sqlite:///:memory:"])
def test_addresses_that_are_wrong(text: str) -> None:
    with pytest.raises(ValueError, match="expected sqlite:////folder/file or postgresql://"):
        checked_url(SecretStr(text))
