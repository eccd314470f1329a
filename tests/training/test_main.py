"""The training service as a process: `python -m training`."""

import json
import resource
import urllib.request
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from confluent_kafka import Producer

from tests.parts import Service, embedded_broker, get, reads, wait_for
from tests.training.api.test_datasources import POSTED
from tests.training.control.test_reader import VALUE
from tests.training.running import refusal, settings
from training.api.deployment_fields import DeploymentFields
from training.database.engine import connect
from training.database.tables import Configuration, Deployment, Model

pytestmark = pytest.mark.parts

LIMIT = 60.0  # s


def rows(address: str) -> list[dict[str, Any]]:
    """Return the datasources."""
    found: list[dict[str, Any]] = json.loads(get(f"http://{address}/datasources/"))
    return found


def add_deployment(folder: Path) -> None:
    """Write a deployment without results to the database."""
    database = connect("", folder)
    model = Model(name="m", description="", imports="", code="model = 1", distributed=False, framework="tf")
    with database.writing() as session:
        configuration = Configuration(name="c", description="", ml_models=[model])
        session.add(configuration)
        session.flush()
        fields = DeploymentFields(configuration=configuration.id)
        session.add(
            Deployment(
                configuration_id=configuration.id,
                **fields.model_dump(exclude={"configuration", "datasource"}),
            )
        )
    database.close()


def test_a_stream_is_stored_sent_again_and_kept_over_a_restart(tmp_path: Path) -> None:
    with embedded_broker(tmp_path) as (broker, _):
        variables = settings(broker, tmp_path)
        address = variables["DISPLAYPORT"]
        producer = Producer({"bootstrap.servers": broker})
        producer.produce("KAFKA_ML_CONTROL_TOPIC", VALUE, b"\x07")
        assert producer.flush(LIMIT) == 0

        with Service("training", variables, tmp_path) as training:
            training.ready(LIMIT)
            wait_for(lambda: rows(address), LIMIT, "the control message")
            add_deployment(tmp_path / "data")
            row = {**rows(address)[0], "deployment": 1}
            request = urllib.request.Request(
                f"http://{address}/datasources/kafka",
                json.dumps(row).encode(),
                {"Content-Type": "application/json"},
            )
            with urllib.request.urlopen(request, timeout=LIMIT) as answer:
                assert answer.status == 201
            wait_for(lambda: len(rows(address)) == 2, LIMIT, "the message that was sent again")

        with Service("training", variables, tmp_path, "-again") as training:
            training.ready(LIMIT)
            assert [each["deployment"] for each in rows(address)] == ["1", "7"]
            assert {each["topic"] for each in rows(address)} == {POSTED["topic"]}


def test_settings_that_will_not_do_end_it_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name, value in (("DATAFOLDER", f"{tmp_path}/file"), ("DATABASEURL", "sqlite:////nowhere/file")):
        assert refusal(tmp_path, **{name: value}).startswith(f"training: {name}=")


def test_a_disk_that_takes_nothing_more_is_named_until_it_does(tmp_path: Path) -> None:
    with (
        embedded_broker(tmp_path, "--topic", "KAFKA_ML_CONTROL_TOPIC:1") as (broker, _),
        Service("training", settings(broker, tmp_path), tmp_path) as training,
    ):
        training.ready(LIMIT)
        # As on a full disk, each write of this process fails.
        before = resource.prlimit(training.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        wait_for(lambda: not reads(f"{training.health}/readyz"), LIMIT, "a service that is not ready")
        with pytest.raises(HTTPError) as unready:
            get(f"{training.health}/readyz")
        alive = get(f"{training.health}/healthz").decode()
        resource.prlimit(training.pid, resource.RLIMIT_FSIZE, before)
        training.ready(LIMIT)

    reason = unready.value.read().decode()
    assert reason == "the database cannot be used: disk I/O error\n"
    assert alive == "ok\n"
