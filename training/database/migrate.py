"""Bring a database to the newest version of the tables."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from training.database.engine import Database

_STEPS: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 7_716_223  # a number of ours among PostgreSQL's advisory locks


def migrate(database: Database) -> None:
    """Take the steps that the database has not taken yet, all or none of them."""
    config = Config()
    # A path may contain a percent sign, which begins a name in this kind of file.
    config.set_main_option("script_location", str(_STEPS).replace("%", "%%"))
    with database.engine.execution_options(writes=True).begin() as connection:
        if connection.dialect.name == "postgresql":  # SQLite's transaction is exclusive by itself
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
