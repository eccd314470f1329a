"""Trainings whose Jobs the cluster refuses for now: kept in order, also while the service is down."""

import logging
import time
from pathlib import Path
from typing import Final

from training.runners.record import Record, delete, records
from training.runners.runner import Run, RunnerError

log = logging.getLogger(__name__)

_BREAK: Final = 10.0  # s before the cluster is asked again


class Postponed:
    """Runs in the order of their creation, in files below `folder`. Only the first is tried again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        found = sorted(records(folder), key=lambda record: record.number)
        self._records = {record.run.name: record for record in found}
        self._why = dict.fromkeys(self._records, "the cluster has refused its Job")
        self._try_at = 0.0

    def add(self, run: Run, why: str) -> None:
        """Keep a run, behind all others; raise RunnerError if that fails."""
        number = 1 + max((each.number for each in self._records.values()), default=0)
        record = Record(self._folder / run.name, run, number)
        try:
            record.write()
        except OSError as error:
            raise RunnerError(f"{record.folder} cannot be written: {error.strerror}") from None
        log.info("%s waits: %s", run.name, why)
        self._records[run.name] = record
        self._why[run.name] = why
        self._try_at = self._try_at or time.monotonic() + _BREAK

    def first(self) -> Run | None:
        """Return the first run, if it is time to try it again."""
        record = next(iter(self._records.values()), None)
        return record.run if record and time.monotonic() >= self._try_at else None

    def refuse(self, name: str, why: str) -> None:
        """Note that the cluster has refused a run again."""
        self._why[name] = why
        self._try_at = time.monotonic() + _BREAK

    def remove(self, name: str) -> None:
        """Forget a run, if it is one of these."""
        if self._records.pop(name, None):
            del self._why[name]
            self._try_at = 0.0
            delete(self._folder / name)

    def reasons(self) -> dict[str, str]:
        """Return why each run waits: the name → the cluster's reason, in one line."""
        return dict(self._why)
