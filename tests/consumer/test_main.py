"""The consumer as a process: `python -m consumer`."""

import json
import os
import re
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from urllib.error import HTTPError

import pytest
from confluent_kafka import Producer

from tests.consumer.fakes import Answer, Request, ScriptedServer, grey, hang, reply
from tests.parts import ROOT, Service, embedded_broker, free_port, get, reads, wait_for

pytestmark = pytest.mark.parts

URL = "http://127.0.0.1:1/v1/models/imagenet:predict"


def nowhere() -> dict[str, str]:
    """Return settings with a Kafka that is not there."""
    kafka = f"127.0.0.1:{free_port()}"
    return {"KAFKAPORTIN": kafka, "KAFKAPORTOUT": kafka, "HEALTHPORT": f"127.0.0.1:{free_port()}"}


def start(**variables: str) -> subprocess.CompletedProcess[str]:
    """Start the consumer with invalid settings."""
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
        ({"MODELURLS": json.dumps({"resnet_1": URL})}, ["MODELURLS=", "found 'resnet_1'"]),
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
def test_invalid_settings_end_it_with_one_line(variables: dict[str, str], parts: list[str]) -> None:
    done = start(**variables)

    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("consumer: ")
    assert all(part in done.stderr for part in parts), done.stderr


def test_the_settings_import_neither_an_http_client_nor_grpc() -> None:
    code = "import consumer.settings, sys; print({'requests', 'urllib3', 'grpc'} & sys.modules.keys())"

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout.strip() == "set()"


def test_without_its_labels_a_model_is_not_asked_but_frames_keep_flowing(tmp_path: Path) -> None:
    ready = threading.Event()

    def labels(request: Request, body: bytes) -> None:
        (reply(200, b"tench\n") if ready.is_set() else reply(404, b"no"))(request, body)

    answer = reply(200, predictions("[0, 1]"))
    with ExitStack() as stack:
        bootstrap, _ = stack.enter_context(embedded_broker(tmp_path))
        label_server = stack.enter_context(ScriptedServer(labels))
        server = stack.enter_context(ScriptedServer(answer))
        variables = {
            "KAFKAPORTIN": bootstrap,
            "KAFKAPORTOUT": bootstrap,
            "MODELURLS": json.dumps({"imagenet_1": server.url}),
            "LABELURLS": json.dumps({"imagenet_1": label_server.url}),
        }
        kafka = Producer({"bootstrap.servers": bootstrap})
        consumer = stack.enter_context(Service("consumer", variables, tmp_path))

        def out() -> int:
            kafka.produce("videocam", key=b"door", value=grey(), headers={"seq": b"7"})
            kafka.flush(5)
            return int(consumer.ledger().get("door", {}).get("out", 0))

        wait_for(lambda: "consumer started" in consumer.text, 30, "the start")
        wait_for(lambda: out() > 5, 60, "frames without labels")
        wait_for(lambda: len(label_server.bodies) >= 2, 30, "a second attempt to fetch the labels")
        with pytest.raises(HTTPError) as unready:
            get(f"{consumer.health}/readyz")
        reason = unready.value.read().decode()
        asked = len(server.bodies)
        ready.set()
        wait_for(lambda: out() and server.bodies, 60, "a question to the model")
        wait_for(lambda: out() and reads(f"{consumer.health}/readyz") == b"ok\n", 30, "readiness")
        assert consumer.stop(10) == 0

    assert asked == 0
    assert all(part in reason for part in ("imagenet_1", "LABELURLS", "404")), reason
    assert "Traceback" not in consumer.text


def test_without_kafka_it_is_alive_reports_what_is_missing_and_ends_on_sigterm(tmp_path: Path) -> None:
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


def test_with_kafka_gone_and_a_model_that_hangs_it_ends_in_time(tmp_path: Path) -> None:
    labels = tmp_path / "labels.json"
    labels.write_text('["tench"]')

    with ScriptedServer(hang) as server, embedded_broker(tmp_path) as (bootstrap, broker):
        kafka = Producer({"bootstrap.servers": bootstrap})
        variables = {
            "KAFKAPORTIN": bootstrap,
            "KAFKAPORTOUT": bootstrap,
            "MODELURLS": json.dumps({"imagenet_1": server.url}),
            "LABELURLS": json.dumps({"imagenet_1": str(labels)}),
            "MODELTIMEOUT": "10s",
        }

        def asked() -> list[bytes]:
            kafka.produce("videocam", key=b"door", value=grey(), headers={"seq": b"7"})
            kafka.flush(5)
            return server.bodies

        with Service("consumer", variables, tmp_path) as consumer:
            wait_for(lambda: "consumer started" in consumer.text, 30, "the start")
            wait_for(asked, 40, "a question to the model")
            broker.kill()
            wait_for(lambda: "Kafka" in consumer.text, 20, "Kafka's absence to be noticed")
            status = consumer.stop(10)

    assert status == 0
    assert "Traceback" not in consumer.text
    assert "'pending': 0}" in consumer.text


def predictions(probabilities: str, number: str = "1") -> bytes:
    """Return an ImageNet model's answer."""
    return b'{"predictions": [{"classes": %s, "probabilities": %s}]}' % (
        number.encode(),
        probabilities.encode(),
    )


def halved(request: Request, _: bytes) -> None:
    """Answer with half a body."""
    request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    request.close_connection = True


BAD_ANSWERS: dict[str, tuple[Answer, str]] = {
    "imagenet_1": (reply(200, b"<html>"), "invalid answer: expected predictions"),
    "imagenet_2": (reply(200, predictions("[NaN, NaN]")), "invalid answer: the probabilities"),
    "imagenet_3": (reply(200, predictions("[[0], [1]]")), "invalid answer: the probabilities"),
    "imagenet_4": (reply(200, predictions("[0, 1]", "7")), "found 7"),
    "imagenet_5": (reply(200, predictions("[0, 0, 0, 1]", "3")), "labels"),
    "imagenet_6": (halved, "IncompleteRead"),
    "imagenet_7": (hang, "no answer within 0.5 s"),
    "imagenet_8": (reply(400, b"Malformed request"), "its URL does not end with :predict"),
}
"""Answers of models, and what the log then says."""


def test_whatever_models_answer_frames_keep_flowing_and_each_failure_is_logged_once(tmp_path: Path) -> None:
    labels = tmp_path / "labels.json"
    labels.write_text('["tench"]')

    with ExitStack() as stack:
        bootstrap, _ = stack.enter_context(embedded_broker(tmp_path))
        servers = {
            model: stack.enter_context(ScriptedServer(answer)) for model, (answer, _) in BAD_ANSWERS.items()
        }
        urls = {model: server.url for model, server in servers.items()}
        urls["imagenet_8"] = urls["imagenet_8"].replace("/v1/models/imagenet:predict", "/serving")
        variables = {
            "KAFKAPORTIN": bootstrap,
            "KAFKAPORTOUT": bootstrap,
            "MODELURLS": json.dumps(urls),
            "LABELURLS": json.dumps(dict.fromkeys(urls, str(labels))),
            "MODELTIMEOUT": "500ms",
        }
        kafka = Producer({"bootstrap.servers": bootstrap})
        consumer = stack.enter_context(Service("consumer", variables, tmp_path))

        def asked() -> bool:
            kafka.produce("videocam", key=b"door", value=grey(), headers={"seq": b"7"})
            kafka.flush(5)
            return all(len(server.bodies) >= 3 for server in servers.values())

        wait_for(asked, 60, "three questions to each model")
        out = consumer.ledger()["door"]["out"]
        wait_for(lambda: asked() and consumer.ledger()["door"]["out"] > out + 5, 20, "frames to go on")

        def outcomes_of(model: str) -> list[tuple[str, str]]:
            metrics = get(f"{consumer.health}/metrics").decode()
            return re.findall(rf'requests_total{{model="{model}",outcome="(\w+)"}} (\S+)', metrics)

        def counted() -> bool:
            asked()
            return all(sum(float(count) for _, count in outcomes_of(model)) >= 2 for model in servers)

        wait_for(counted, 30, "two outcomes of each model")
        outcomes = {model: outcomes_of(model) for model in servers}
        assert consumer.stop(10) == 0

    for model, (_, trouble) in BAD_ANSWERS.items():
        logged = [
            line for line in consumer.text.splitlines() if f"model {model}: " in line and "WARN" in line
        ]
        assert len([line for line in logged if trouble in line and "not ready" not in line]) == 1, logged
        assert outcomes[model]
        assert all(kind != "ok" for kind, _ in outcomes[model]), outcomes
    assert "Traceback" not in consumer.text


def test_the_metrics_of_a_running_consumer_follow_its_model(tmp_path: Path) -> None:
    labels = tmp_path / "labels.json"
    labels.write_text('["tench"]')

    def answer(request: Request, body: bytes) -> None:
        if len(server.bodies) % 10 == 5:
            request.close_connection = True
        else:
            reply(200, predictions("[0.1, 0.9]"))(request, body)

    with (
        ScriptedServer(answer) as server,
        embedded_broker(tmp_path) as (bootstrap, _),
    ):
        kafka = Producer({"bootstrap.servers": bootstrap})
        variables = {
            "KAFKAPORTIN": bootstrap,
            "KAFKAPORTOUT": bootstrap,
            "MODELURLS": json.dumps({"imagenet_1": server.url}),
            "LABELURLS": json.dumps({"imagenet_1": str(labels)}),
        }
        with Service("consumer", variables, tmp_path) as consumer:

            def metrics() -> dict[str, float]:
                kafka.produce("videocam", key=b"door", value=grey(), headers={"seq": b"7"})
                kafka.flush(5)
                text = get(f"{consumer.health}/metrics").decode()
                samples = re.findall(r'^(\w+)(?:\{model="imagenet_1"\})? (\S+)$', text, re.MULTILINE)
                return {name: float(value) for name, value in samples}

            def stamped() -> bool:
                return metrics().get("streamlens_label_age_seconds_count", 0) >= 2

            wait_for(lambda: "consumer started" in consumer.text, 30, "the start")
            wait_for(stamped, 60, "stamped labels")
            wait_for(
                lambda: metrics()["streamlens_model_reconnects_total"], 20, "the connection to be made again"
            )
            wait_for(lambda: metrics()["ei_infer_fps"], 40, "a report of the load")
            found = metrics()

    assert found["streamlens_model_queue_seconds_count"] >= found["streamlens_model_batch_frames_sum"] > 0
    assert found["streamlens_label_age_seconds_sum"] > 0
    assert found["ei_scale_ratio"] > 0
