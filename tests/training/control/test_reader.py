import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from confluent_kafka import Message
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from tests.training.api.test_datasources import POSTED
from tests.training.conftest import RAW, Service
from tests.training.fakes import FakeMessage
from training.control.reader import ControlReader
from training.database.engine import Database

SENT = 1_796_032_800_000  # ms: 2026-11-30T10:00:00Z
# As Kafka-ML's sinks write it.
VALUE = (
    b'{"topic": "automl:0:0:4,automl:1:0:10", "unsupervised_topic": null, "input_format": "RAW",'
    b' "description": "d", "dataset_restrictions": {}, "input_config": {"data_type": "uint8",'
    b' "label_type": "uint8", "data_reshape": "28 28", "label_reshape": "1"}, "validation_rate": 0.1,'
    b' "test_rate": 0.1, "total_msg": 14, "incremental": false}'
)
OF_THE_SEED = (
    b'{"topic": "d:0:0:9", "input_format": "AVRO", "description": "", "input_config": {},'
    b' "validation_rate": 0, "test_rate": 0, "total_msg": 9}'
)


class Topic:
    """Hands over one message per step, as `Records` does."""

    def __init__(self, *messages: FakeMessage) -> None:
        self.messages = [*messages]
        self.take: Callable[[Any], Any] = print
        self.is_closed = False

    def __call__(self, take: Callable[[Message], Any]) -> "Topic":
        self.take = take
        return self

    def step(self) -> None:
        if self.messages:
            self.take(self.messages.pop(0))

    def close(self) -> None:
        self.is_closed = True


def read(database: Database, *messages: FakeMessage) -> None:
    """Read these messages, as after a start."""
    reader = ControlReader(Topic(*messages), database)
    for _ in messages:
        reader.step()


def test_control_messages_become_datasources(service: Service) -> None:
    read(
        service.database,
        FakeMessage(0, b"\x01", VALUE, SENT),
        FakeMessage(1, b"\0\0\x01\x2c", OF_THE_SEED, SENT + 1500),
    )

    newest, oldest = service.get("/datasources/")
    assert oldest == {**POSTED, "id": 1, "time": "2026-11-30T10:00:00Z"}
    assert newest.items() >= {"deployment": "300", "topic": "d:0:0:9", "input_config": "{}"}.items()
    assert newest["time"] == "2026-11-30T10:00:01.500000Z"


def test_a_restart_stores_nothing_twice(service: Service) -> None:
    messages = FakeMessage(0, b"\x01", VALUE, SENT), FakeMessage(1, b"\x01", VALUE, SENT + 10)

    for _ in range(2):
        read(service.database, *messages)

    assert len(service.get("/datasources/")) == 2


@pytest.mark.parametrize("reader_first", [True, False], ids=["reader first", "logger first"])
def test_what_the_logger_posts_too_is_stored_once(reader_first: bool, service: Service) -> None:
    steps = [
        lambda: read(service.database, FakeMessage(0, b"\x01", VALUE, SENT + 250)),
        lambda: service.post("/datasources/", POSTED),
    ]
    for step in steps if reader_first else reversed(steps):
        step()
    read(service.database, FakeMessage(0, b"\x01", VALUE, SENT + 250))

    (row,) = service.get("/datasources/")
    assert json.loads(row["input_config"]) == RAW


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        (None, VALUE, "expected a key"),
        (b"\x01", b"{", "invalid JSON"),
        (b"\x01", None, "invalid JSON"),
        (b"\x01", b"[]", "expected a JSON object"),
        (b"\x01", b"{}", "input_format"),
        (b"\x01", VALUE.replace(b"0.1", b"1.1"), "validation_rate"),
        (b"deployment one", VALUE, "deployment"),
        (b"\x01", b"[" * 100_000, "invalid JSON"),
    ],
    ids=["no key", "no JSON", "no value", "a list", "no fields", "rate", "text", "deep"],
)
def test_what_is_no_control_message_is_skipped(
    key: bytes | None, value: bytes | None, reason: str, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    read(service.database, FakeMessage(0, key, value, SENT), FakeMessage(1, b"\x01", VALUE, SENT))

    (line,) = [each.message for each in caplog.records if "skipped" in each.message]
    assert line.startswith("control message control[0]@0 skipped: ")
    assert reason in line
    assert len(service.get("/datasources/")) == 1


def test_while_the_database_is_away_a_message_waits(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("BEGIN", {}, OSError("no disk"))

    topic = Topic(FakeMessage(0, b"\x01", VALUE, SENT), FakeMessage(1, b"\x01", OF_THE_SEED, SENT))
    reader = ControlReader(topic, service.database)
    event.listen(service.database.engine, "begin", fail)
    try:
        reader.step()
        reader.step()
    finally:
        event.remove(service.database.engine, "begin", fail)
    assert len(topic.messages) == 1

    reader.step()
    reader.step()

    assert [each["topic"] for each in service.get("/datasources/")] == ["d:0:0:9", POSTED["topic"]]
    assert "the database does not answer" in caplog.text


FIELDS = json.loads(VALUE)
DEEP = b"[" * 400 + b"]" * 400


@pytest.mark.parametrize(
    ("value", "sent", "reason"),
    [
        (VALUE.replace(b'"d"', DEEP), SENT, "description: expected a text"),
        (VALUE.replace(b"}, ", b', "new": ' + DEEP + b"}, ", 1), SENT, "expected"),
        (VALUE[:-1] + b', "new": ' + DEEP + b"}", SENT, "nested less deeply"),
        (VALUE[:-1] + b', "new": "\\ud800"}', SENT, "expected JSON in UTF-8"),
        (VALUE.replace(b"28 28", b"\\ud800"), SENT, "expected JSON in UTF-8"),
        (VALUE.replace(b'"d"', b'"\\u0000"'), SENT, "NUL"),
        (VALUE.replace(b'"total_msg": 14', b'"total_msg": 1e400'), SENT, "total_msg"),
        (VALUE, 2**62, "year"),
        (VALUE, 253_402_300_000_000, "expected a time from 1970 to 9998"),
    ],
    ids=["deep text", "deep object", "deep field", "field", "config", "NUL", "count", "far", "year 9999"],
)
def test_one_bad_message_disturbs_neither_the_topic_nor_the_list(
    value: bytes, sent: int, reason: str, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    read(service.database, FakeMessage(0, b"\x01", value, sent), FakeMessage(1, b"\x01", VALUE, SENT))

    (line,) = [each.message for each in caplog.records if "skipped" in each.message]
    assert reason in line
    assert [each["topic"] for each in service.get("/datasources/")] == [POSTED["topic"]]


@settings(max_examples=60)
@given(
    st.none() | st.binary(max_size=12),
    st.sampled_from([*FIELDS, "new", "time", "id", "source"]),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=3)
        | st.sampled_from(["\0", "\ud800", "d", "d:0:0:1", "{}", 10**400]),
        lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=2), each, max_size=2),
        max_leaves=4,
    ),
    st.integers(-(2**63), 2**63 - 1),
)
def test_any_message_is_stored_or_skipped(
    running: Service, key: bytes | None, name: str, value: Any, sent: int
) -> None:
    read(running.database, FakeMessage(0, key, json.dumps({**FIELDS, name: value}).encode(), sent))

    assert isinstance(running.get("/datasources/"), list)


def test_a_message_without_a_time_has_that_of_its_arrival(service: Service) -> None:
    before = datetime.now(UTC)

    read(service.database, FakeMessage(0, b"\x01", VALUE, 0))

    (row,) = service.get("/datasources/")
    assert datetime.fromisoformat(row["time"]) >= before


def test_the_topic_is_closed_with_the_reader(database: Database) -> None:
    topic = Topic()

    ControlReader(topic, database).close()

    assert topic.is_closed
