"""Loads a Kafka-ML's database into this service's: `python -m training.load_kafka_ml db.sqlite3`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field
from sqlalchemy.exc import SQLAlchemyError

from pipeline.service import state
from pipeline.service.masking import hide
from pipeline.service.settings import SettingsError, load
from training.database.engine import connect
from training.database.migrate import migrate
from training.files import Files
from training.load_kafka_ml.loading import Loading
from training.load_kafka_ml.source import SourceError, opened
from training.settings import TrainingSettings


class LoadSettings(TrainingSettings):
    """The service's settings, of which `DATABASEURL` and `DATAFOLDER` are used."""

    kafkaport: str = Field("", description="not used here")


def main(arguments: Sequence[str]) -> int:
    """Load a database; return the exit status: 0, or 2 if it or ours cannot be used."""
    asked = _parsed(arguments)
    try:
        settings = load(LoadSettings)
        state.prepare(settings.datafolder)
        database = connect(settings.databaseurl.get_secret_value(), settings.datafolder)
        migrate(database)
    except (SettingsError, OSError, SQLAlchemyError) as error:
        cause = getattr(error, "orig", None) or error
        print(f"load_kafka_ml: {hide(' '.join(str(cause).split()))}", file=sys.stderr)
        return 2
    folders = (asked.files, asked.database.parent) if asked.files else (asked.database.parent,)
    try:
        with opened(asked.database, folders) as source:
            report = Loading(source, database, Files(settings.datafolder / "results")).run()
    except SourceError as error:
        print(f"load_kafka_ml: {error}", file=sys.stderr)
        return 2
    finally:
        database.close()
    print(*report.lines, *report.summary(), sep="\n")
    return 0


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.load_kafka_ml", description=__doc__)
    parser.add_argument("database", type=Path, help="Kafka-ML's db.sqlite3, which is only read")
    parser.add_argument(
        "--files", type=Path, help="the folder with its trained models; by default that of the database"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
