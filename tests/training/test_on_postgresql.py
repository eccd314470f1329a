"""The training service as a process, on a real PostgreSQL."""

import json
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from sqlalchemy import select

from tests.parts import Service, embedded_broker, get, reads, wait_for
from tests.postgresql import PostgreSQL
from tests.training.api.test_datasources import POSTED
from tests.training.control.test_reader import VALUE
from tests.training.load_kafka_ml.kafka_ml import KafkaMl
from tests.training.running import refusal, settings
from training.database.engine import connect
from training.database.tables import Configuration, Model, Result
from training.load_kafka_ml.__main__ import main

LIMIT = 60.0  # s
AWAY = {"detail": "the database does not answer: try again later"}


def asked(address: str, sent: Any = None) -> tuple[int, Any]:
    """Return the status and the content of the answer about datasources."""
    content = None if sent is None else json.dumps(sent).encode()
    request = urllib.request.Request(
        f"http://{address}/datasources/", content, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=LIMIT) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def topics(address: str) -> set[str]:
    status, rows = asked(address)
    assert status == 200, rows
    return {row["topic"] for row in rows}


def send(broker: str, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": broker})
    producer.produce("KAFKA_ML_CONTROL_TOPIC", value, b"\x07")
    assert producer.flush(LIMIT) == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
def test_it_survives_that_the_database_goes_away_and_loses_no_control_message(
    how: signal.Signals, postgresql: PostgreSQL, tmp_path: Path
) -> None:
    with embedded_broker(tmp_path) as (broker, _):
        variables = {**settings(broker, tmp_path), "DATABASEURL": postgresql.create()}
        address = variables["DISPLAYPORT"]
        with Service("training", variables, tmp_path) as training:
            send(broker, VALUE)
            training.ready(LIMIT)
            wait_for(lambda: topics(address) == {POSTED["topic"]}, LIMIT, "the control message")

            postgresql.stop(how)
            try:
                assert asked(address) == (503, AWAY)
                assert asked(address, {**POSTED, "topic": "refused:0:0:1"}) == (503, AWAY)
                send(broker, VALUE.replace(b"automl:0:0:4,automl:1:0:10", b"waits:0:0:1"))
                send(broker, VALUE.replace(b"automl:0:0:4,automl:1:0:10", b"comes:0:0:1"))
                wait_for(lambda: "a control message waits" in training.text, LIMIT, "the message to wait")
                assert asked(address) == (503, AWAY)
                wait_for(lambda: not reads(f"{training.health}/readyz"), LIMIT, "a service that is not ready")
                with pytest.raises(urllib.error.HTTPError) as unready:
                    get(f"{training.health}/readyz")
                alive = get(f"{training.health}/healthz").decode()
            finally:
                postgresql.start()

            reason = unready.value.read().decode()
            assert reason.startswith("the database cannot be used: ")
            assert alive == "ok\n"
            training.ready(LIMIT)
            expected = {POSTED["topic"], "waits:0:0:1", "comes:0:0:1"}
            wait_for(lambda: topics(address) == expected, LIMIT, "the messages that waited")
            status, row = asked(address, {**POSTED, "topic": "posted:0:0:1"})
            assert status == 201
            assert row["id"] > 3
            assert training.metric("streamlens_worker_restarts") == 0
            assert "Traceback" not in training.text
            assert "sesame" not in training.text

        with Service("training", variables, tmp_path, "-again") as training:
            training.ready(LIMIT)
            assert topics(address) == {*expected, "posted:0:0:1"}
    assert not (tmp_path / "data/training.sqlite3").exists()


WRONG = pytest.mark.parametrize(
    ("database", "password", "reason"),
    [
        ("postgres", "open sesame", "password authentication failed"),
        ("nothing", "", 'database "nothing" does not exist'),
    ],
    ids=["password", "database"],
)


@WRONG
def test_a_database_that_cannot_be_used_ends_it_with_one_line(
    database: str, password: str, reason: str, *, postgresql: PostgreSQL, tmp_path: Path
) -> None:
    line = refusal(tmp_path, DATABASEURL=postgresql.url(database, password))

    assert line.startswith("training: DATABASEURL=")
    assert reason in line
    assert "sesame" not in line


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[KafkaMl]:
    """The database of a Kafka-ML, with a row of each kind."""
    found = KafkaMl(tmp_path / "db.sqlite3")
    found.fill()
    yield found
    found.close()


@WRONG
def test_a_kafka_ml_is_not_loaded_into_a_database_that_cannot_be_used(
    database: str,
    password: str,
    reason: str,
    *,
    postgresql: PostgreSQL,
    theirs: KafkaMl,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATAFOLDER", str(tmp_path / "ours"))
    monkeypatch.setenv("DATABASEURL", postgresql.url(database, password))

    assert main([str(theirs.path)]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert reason in line
    assert "sesame" not in line


def test_after_a_kafka_ml_was_loaded_new_rows_have_ids_of_their_own(
    postgresql: PostgreSQL, theirs: KafkaMl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgresql.create()
    monkeypatch.setenv("DATAFOLDER", str(tmp_path / "ours"))
    monkeypatch.setenv("DATABASEURL", url)

    assert [main([str(theirs.path)]) for _ in range(2)] == [0, 0]

    database = connect(url, tmp_path)
    with database.writing() as session:
        model = Model(name="new", description="", imports="", code="", distributed=False, framework="tf")
        configuration = Configuration(name="new", description="", ml_models=[model])
        session.add(configuration)
        session.flush()
        assert (model.id, configuration.id) == (8, 8)
        assert session.scalars(select(Result.id)).all() == [7]
    database.close()
