"""The consumer as a process: `python -m consumer`."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError

import pytest

from tests.consumer.fakes import ScriptedServer, reply
from tests.parts import ROOT, Service, free_port, get, wait_for

URL = "http://127.0.0.1:1/v1/models/imagenet:predict"


def nowhere() -> dict[str, str]:
    """Return settings with a Kafka that is not there."""
    kafka = f"127.0.0.1:{free_port()}"
    return {"KAFKAPORTIN": kafka, "KAFKAPORTOUT": kafka, "HEALTHPORT": f"127.0.0.1:{free_port()}"}


def start(**variables: str) -> subprocess.CompletedProcess[str]:
    """Start the consumer with settings that will not do."""
    return subprocess.run(
        [sys.executable, "-m", "consumer"],
        env={**os.environ, **nowhere(), **variables},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("variables", "parts"),
    [
        ({"KAFKAPORTIN": "kafka"}, ["KAFKAPORTIN='kafka'", "kf1-service:19091"]),
        ({"MODELURLS": "{"}, ["MODELURLS='{'", "JSON"]),
        ({"MODELURLS": json.dumps({"resnet_1": URL})}, ["MODELURLS=", "'resnet_1' names no known handler"]),
        ({"MODELURLS": json.dumps({"imagenet_1": URL})}, ["LABELURLS has no entry for imagenet_1"]),
        (
            {
                "MODELURLS": json.dumps({"imagenet_1": URL}),
                "LABELURLS": json.dumps({"imagenet_1": "/nowhere/labels.json"}),
            },
            ["LABELURLS", "imagenet_1", "'/nowhere/labels.json'", "No such file"],
        ),
    ],
)
def test_settings_that_will_not_do_end_it_with_one_line(variables: dict[str, str], parts: list[str]) -> None:
    done = start(**variables)

    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("consumer: ")
    assert all(part in done.stderr for part in parts), done.stderr


def test_labels_that_their_server_does_not_have_end_it_with_one_line() -> None:
    with ScriptedServer(reply(404, b"no")) as server:
        done = start(
            MODELURLS=json.dumps({"imagenet_1": URL}), LABELURLS=json.dumps({"imagenet_1": server.url})
        )

    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "404" in done.stderr


def test_without_kafka_it_runs_is_alive_says_what_is_missing_and_ends_when_told_to(tmp_path: Path) -> None:
    labels = tmp_path / "labels.json"
    labels.write_text('["tench"]')
    models = {"imagenet_1": URL, "imagenet_2": URL}
    variables = {
        **nowhere(),
        "MODELURLS": json.dumps(models),
        "LABELURLS": json.dumps(dict.fromkeys(models, str(labels))),
    }
    del variables["HEALTHPORT"]

    with Service("consumer", variables, tmp_path) as consumer:
        wait_for(lambda: "consumer started" in consumer.text, 30, "the start")
        alive = get(f"{consumer.health}/healthz")
        with pytest.raises(HTTPError) as unready:
            get(f"{consumer.health}/readyz")
        status = consumer.stop(10)

    assert alive == b"ok\n"
    assert b"topic videocam" in unready.value.read()
    assert status == 0
    assert "consumer stopped" in consumer.text
    assert "Traceback" not in consumer.text
