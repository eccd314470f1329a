import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest

from tests.parts import ROOT, free_port, wait_for

pytestmark = pytest.mark.parts

Start = Callable[..., "Producer"]


class Producer:
    """`python -m producer` with these variables, and access to its health server."""

    def __init__(self, **variables: str) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "producer"],
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "HEALTHPORT": f"127.0.0.1:{self.port}",
                "LOGFORMAT": "text",
                **variables,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def get(self, path: str) -> tuple[int, str]:
        """Return status and text, or 0 while nothing answers."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        except (OSError, HTTPException):
            return 0, ""
        finally:
            connection.close()

    def wait_until(self, path: str, good: Callable[[int, str], bool]) -> None:
        deadline = time.monotonic() + 60
        while not good(*self.get(path)):
            assert self.process.poll() is None, self.process.communicate()[1]
            assert time.monotonic() < deadline, self.get(path)
            time.sleep(0.05)

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """Send the signal; return exit status, output and errors, all within 10 s."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=10)
        return self.process.returncode, out, err


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Producer] = []

    def start_one(**variables: str) -> Producer:
        started.append(Producer(**variables))
        return started[-1]

    yield start_one
    for producer in started:
        producer.process.kill()
        producer.process.communicate()


def counted(camera: str, what: str, more_than: int) -> Callable[[int, str], bool]:
    """Return a check that /ledger counts `more_than` frames of a camera `in` or `out`."""
    return lambda status, text: status == 200 and json.loads(text).get(camera, {what: 0})[what] > more_than


def totals(text: str) -> Any:
    """Return the counts in the last line of the log."""
    return json.loads(text.rpartition("producer stopped: ")[2].replace("'", '"'))


def test_wrong_settings_end_the_producer_with_one_line_each(start: Start) -> None:
    producer = start(
        VIDEOLINK="rtsp://joe:hunter2@camera/",
        FRAMEINTERVAL="42",
        IMAGESCALEX="0",
        KAFKACONFIG='["hunter2"]',
    )

    out, err = producer.process.communicate(timeout=60)

    assert producer.process.returncode == 2
    assert out == ""
    names = sorted(line.removeprefix("producer: ").split("=")[0] for line in err.splitlines())
    wrong = [line.split()[0] for line in names]
    assert wrong == ["FRAMEINTERVAL", "IMAGESCALEX", "KAFKACONFIG", "KAFKAPORT"]
    assert all(line.startswith("producer: ") for line in err.splitlines())
    assert "hunter2" not in err


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({}, "VIDEOLINK"),
        (
            {"VIDEODEVICE": "0", "KAFKACONFIG": '{"no.such.thing": "hunter2"}'},
            "KAFKACONFIG='***': ",
        ),
        (
            {"VIDEODEVICE": "0", "HEALTHPORT": "192.0.2.1:80"},
            "HEALTHPORT='192.0.2.1:80': ",
        ),
    ],
)
def test_settings_that_fail_later_are_reported_the_same_way(
    start: Start, variables: dict[str, str], text: str
) -> None:
    producer = start(KAFKAPORT="127.0.0.1:1", LOGLEVEL="error", **variables)

    out, err = producer.process.communicate(timeout=60)

    assert (producer.process.returncode, out) == (2, "")
    (line,) = err.splitlines()
    assert line.startswith("producer: ")
    assert text in line
    assert "hunter2" not in line


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_time_while_camera_and_kafka_are_away(
    start: Start, closed_port: int, number: signal.Signals
) -> None:
    producer = start(
        VIDEOLINK=f"rtsp://joe:hunter2@127.0.0.1:{closed_port}/stream1",
        KAFKAPORT=f"127.0.0.1:{free_port()}",
    )
    producer.wait_until("/readyz", lambda status, text: status == 503 and "nothing answers" in text)

    assert producer.get("/healthz") == (200, "ok\n")
    status, out, err = producer.end(number)

    assert status == 0
    assert out == ""
    assert "Traceback" not in err
    assert "hunter2" not in err
    assert f"rtsp://joe:***@127.0.0.1:{closed_port}/stream1" in err
    assert totals(err) == {"in": 0, "out": 0, "dropped": {}, "pending": 0}


def test_it_ends_in_time_while_the_camera_keeps_it_waiting(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        camera = f"127.0.0.1:{silent.getsockname()[1]}"
        producer = start(VIDEOLINK=f"rtsp://joe:hunter2@{camera}/stream1", KAFKAPORT="127.0.0.1:1")
        connection, _ = silent.accept()  # and send nothing

        status, _, err = producer.end()
        connection.close()

    assert status == 0
    assert "Traceback" not in err
    assert "hunter2" not in err
    assert totals(err)["pending"] == 0


def test_while_kafka_is_away_a_film_is_read_and_every_frame_accounted_for(
    start: Start, clip: Path, closed_port: int
) -> None:
    producer = start(
        VIDEOLINK=str(clip), KAFKAPORT=f"127.0.0.1:{closed_port}", FRAMEINTERVAL="5ms", CAMERANAME="front"
    )
    producer.wait_until("/ledger", counted("front", "in", 200))

    cause = f"Kafka does not answer at 127.0.0.1:{closed_port} (connection refused)"
    wait_for(lambda: cause in producer.get("/readyz")[1], 10, "the cause")
    assert producer.get("/readyz")[0] == 503
    status, _, err = producer.end()

    counts = totals(err)
    assert status == 0
    assert "Traceback" not in err
    assert counts["out"] == counts["pending"] == 0
    assert counts["in"] == sum(counts["dropped"].values()) > 200


def test_a_film_reaches_kafka(start: Start, clip: Path) -> None:
    producer = start(
        VIDEOLINK=str(clip),
        KAFKAPORT="127.0.0.1:1",
        KAFKACONFIG='{"test.mock.num.brokers": 1}',
        FRAMEINTERVAL="10ms",
    )
    producer.wait_until("/ledger", counted("camera", "out", 50))

    status, _, err = producer.end()

    counts = totals(err)
    assert status == 0
    assert counts["out"] > 50
    assert counts["pending"] == 0
