"""Datasources: the control messages as rows. They come from the reader, or from Kafka-ML's own logger."""

import json
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from training.control.message import compose, parse
from training.database.moment import in_utc, now, shown
from training.database.tables import Datasource
from training.fields import Fields, JsonObject, NotEmpty, Rate, Text, storable_json

Format = Literal["RAW", "AVRO", "JPEG", "JSON", "TELEGRAF_STR_JSON"]
"""How messages are encoded."""

KEPT: Final = ("unsupervised_topic", "incremental", "dataset_restrictions")
"""Fields of newer control messages, which Kafka-ML itself does not keep."""

_KNOWN: Final = frozenset(
    [
        "input_format",
        "deployment",
        "input_config",
        "description",
        "topic",
        "validation_rate",
        "test_rate",
        "total_msg",
        "time",
        "id",
    ]
)
_SECOND: Final = timedelta(seconds=1)  # the logger writes times without fractions
_ATTEMPTS: Final = timedelta(seconds=60)  # the logger tries for 50 s


def _moment(value: datetime) -> datetime:
    if not 1970 <= value.year < 9999:
        raise ValueError("expected a time from 1970 to 9998")
    return in_utc(value)


class DatasourceFields(Fields):
    """A datasource, as the logger sends it. Unknown fields are kept, for sending the stream again."""

    model_config = ConfigDict(extra="allow")

    deployment: Annotated[
        str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)
    ] = Field(pattern=r"^[0-9]{1,20}$", description="the number of the deployment that the data are for")
    input_format: Format = Field(description="how the messages are encoded")
    input_config: JsonObject = Field(description="an object, or a JSON text with one; see the formats")
    topic: NotEmpty = Field(
        description="topic:partition:start:end, several separated by commas; end is exclusive",
    )
    description: Text = ""
    validation_rate: Rate = Field(0, description="share of the data for validation")
    test_rate: Rate = Field(0, description="share of the data for the test")
    total_msg: int | None = Field(None, ge=0, le=2**63 - 1, description="how many messages were sent")
    time: Annotated[datetime, AfterValidator(_moment)] | None = Field(
        None, description="when the control message was sent; UTC without a time zone"
    )

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.validation_rate + self.test_rate > 1:
            raise ValueError("expected validation_rate and test_rate that are at most 1 together")
        storable_json(self.rest())
        return self

    def rest(self) -> dict[str, Any]:
        """Return the fields that have no column."""
        extra = self.__pydantic_extra__ or {}
        return {name: value for name, value in extra.items() if name not in _KNOWN}


def of_message(key: bytes | None, value: bytes | None, sent: datetime) -> DatasourceFields:
    """Return the datasource in a control message; raise ValueError if it is none."""
    if not key:
        raise ValueError("expected a key with the deployment's number, found none")
    try:
        fields = json.loads(value or b"")
    except (ValueError, RecursionError):
        raise ValueError("expected a JSON object, found invalid JSON") from None
    if not isinstance(fields, dict):
        raise ValueError("expected a JSON object")
    return DatasourceFields.model_validate({**fields, "deployment": int.from_bytes(key, "big"), "time": sent})


def store(session: Session, fields: DatasourceFields, source: str | None = None) -> Datasource:
    """Store a datasource unless it is there already; return the row.

    `source` is the control message's place in Kafka. The logger does not send it: its row is recognised by
    its deployment, ranges and time.
    """
    time = fields.time or now()
    same = select(Datasource).where(
        Datasource.deployment == fields.deployment, Datasource.topic == fields.topic
    )
    if source is not None:
        known = session.scalars(same.where(Datasource.source == source, Datasource.time == time)).first()
        if known is not None:
            return known
        # What the logger was faster to store is this message, unless that is another one's already.
        same = same.where(Datasource.source.is_(None))
    within = _SECOND if fields.time else _ATTEMPTS
    near = same.where(Datasource.time > time - within, Datasource.time < time + within)
    row = session.scalars(near.order_by(Datasource.id)).first()
    if row is None:
        row = Datasource(
            input_format=fields.input_format,
            deployment=fields.deployment,
            input_config=json.dumps(fields.input_config),
            description=fields.description,
            topic=fields.topic,
            validation_rate=fields.validation_rate,
            test_rate=fields.test_rate,
            total_msg=fields.total_msg,
            time=time,
            rest=fields.rest(),
            source=source,
        )
        session.add(row)
    elif source is not None:
        row.source, row.time, row.rest = source, time, {**row.rest, **fields.rest()}
    session.flush()
    return row


def as_sent(row: Datasource) -> dict[str, Any]:
    """Return a row as the API shows it, and as clients send it back."""
    return {
        **row.rest,
        "id": row.id,
        "input_format": row.input_format,
        "deployment": row.deployment,
        "input_config": row.input_config,
        "description": row.description,
        "topic": row.topic,
        "validation_rate": row.validation_rate,
        "test_rate": row.test_rate,
        "total_msg": row.total_msg,
        "time": shown(row.time),
        **{name: row.rest.get(name) for name in KEPT},
    }


def completed(session: Session, fields: DatasourceFields) -> DatasourceFields:
    """Return a datasource with the fields that its row has, but that a client has not sent back."""
    if fields.time is None:
        return fields
    found = session.scalars(
        select(Datasource).where(
            Datasource.topic == fields.topic,
            Datasource.time > fields.time - _SECOND,
            Datasource.time < fields.time + _SECOND,
        )
    ).first()
    if found is None:
        return fields
    missing = {name: value for name, value in found.rest.items() if fields.rest().get(name) is None}
    return DatasourceFields.model_validate({**fields.model_dump(), **missing})


def message_of(fields: DatasourceFields) -> tuple[bytes, bytes]:
    """Return the key and the value of a datasource's control message; raise ValueError if it is none."""
    value = fields.model_dump(exclude={"deployment", "time", "id"})
    number = int(fields.deployment)
    return compose(parse(number.to_bytes(8, "big"), json.dumps(value).encode()))
