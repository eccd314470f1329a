"""The video server as a process: `python -m video`."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError

import pytest
from confluent_kafka import Producer

from tests.parts import ROOT, Service, embedded_broker, free_port, get, reads, wait_for
from tests.video.fakes import GREY, Browser

pytestmark = pytest.mark.parts


def start(**variables: str) -> subprocess.CompletedProcess[str]:
    """Start the video server with settings that will not do."""
    ports = {name: f"127.0.0.1:{free_port()}" for name in ("KAFKAPORT", "HEALTHPORT", "DISPLAYPORT")}
    return subprocess.run(
        [sys.executable, "-m", "video"],
        env={**os.environ, **ports, **variables},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("variables", "parts"),
    [
        ({"KAFKAPORT": ""}, ["KAFKAPORT is not set"]),
        ({"DISPLAYPORT": "8080"}, ["DISPLAYPORT='8080'", ":8080"]),
        ({"FRAMEINTERVAL": "42"}, ["FRAMEINTERVAL='42'", "42ms"]),
        ({"DISPLAYPORT": "192.0.2.1:8080"}, ["DISPLAYPORT='192.0.2.1:8080'", "cannot listen there"]),
    ],
)
def test_settings_that_will_not_do_end_it_with_one_line(variables: dict[str, str], parts: list[str]) -> None:
    done = start(**variables)

    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("video: ")
    assert all(part in done.stderr for part in parts), done.stderr


@pytest.mark.parametrize("name", ["DISPLAYPORT", "HEALTHPORT"])
def test_a_port_that_is_taken_ends_it_with_one_line(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"

        done = start(**{name: address})

    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"video: {name}='{address}': cannot listen there: Address already in use"
    ]


def test_without_kafka_it_runs_and_ends_in_time_with_a_client_waiting(tmp_path: Path) -> None:
    port = free_port()
    variables = {"KAFKAPORT": f"127.0.0.1:{free_port()}", "DISPLAYPORT": f"127.0.0.1:{port}"}

    with Service("video", variables, tmp_path) as video:
        wait_for(lambda: reads(f"http://127.0.0.1:{port}/api/cameras"), 30, "the start")
        site = Browser(port)
        with site.connect("/stream", 65_536) as client:
            alive = get(f"{video.health}/healthz")
            with pytest.raises(HTTPError) as unready:
                get(f"{video.health}/readyz")
            status = video.stop(10)
            answer = client.makefile("rb").readline()

    assert alive == b"ok\n"
    assert b"topic videodisplay" in unready.value.read()
    assert status == 0
    assert answer == b"HTTP/1.1 503 Service Unavailable\r\n"
    assert "Traceback" not in video.text


def test_with_kafka_gone_and_a_stream_open_it_ends_in_time(tmp_path: Path) -> None:
    port = free_port()

    with embedded_broker(tmp_path) as (bootstrap, broker):
        kafka = Producer({"bootstrap.servers": bootstrap})
        variables = {"KAFKAPORT": bootstrap, "DISPLAYPORT": f"127.0.0.1:{port}"}

        def arrived() -> bool:
            kafka.produce("videodisplay", key=b"door", value=GREY, headers={"seq": b"7"})
            kafka.flush(5)
            return Browser(port).get("/snapshot/door.jpg")[0] == 200

        with Service("video", variables, tmp_path) as video:
            wait_for(lambda: "video started" in video.text, 30, "the start")
            wait_for(arrived, 40, "a picture")
            with Browser(port).connect("/stream/door", 65_536) as client:
                stream = client.makefile("rb")
                head = b"".join(iter(stream.readline, b"\r\n"))
                broker.kill()
                wait_for(lambda: "Kafka" in video.text, 20, "Kafka's absence to be noticed")
                alive = get(f"{video.health}/healthz")
                status = video.stop(10)
                rest = stream.read()

    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert GREY in rest
    assert alive == b"ok\n"
    assert status == 0
    assert "Traceback" not in video.text
