"""Bring a database to the newest version of the tables."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config

from training.database.engine import Database

_STEPS: Final = Path(__file__).parent / "migrations"


def migrate(database: Database, version: str = "head") -> None:
    """Take the steps up to a version that the database has not taken yet, all or none of them."""
    config = Config()
    # A path may contain a percent sign, which begins a name in this kind of file.
    config.set_main_option("script_location", str(_STEPS).replace("%", "%%"))
    with database.engine.execution_options(writes=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)
