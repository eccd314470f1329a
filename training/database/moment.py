"""Moments in UTC: as they are stored, and as the API shows them."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime
from sqlalchemy.types import TypeDecorator


class Moment(TypeDecorator[datetime]):
    """A time in UTC. SQLite does not store time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        """Return what is stored."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        """Return what was stored."""
        return None if value is None else in_utc(value)


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def in_utc(moment: datetime) -> datetime:
    """Return a time with its zone; without one, it is in UTC already."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def shown(moment: datetime | None) -> str | None:
    """Return a time as Kafka-ML writes it: ISO 8601, ending in Z."""
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
