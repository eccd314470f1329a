"""The server as a process, over real HTTP."""

import base64
import http.client
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.parts import LABELS, ROOT, ModelServer, Process, free_port, reads, wait_for
from tests.tfserving import toys

SERVER = [sys.executable, "-m", "tfserving.server"]


class ToyServer(Process):
    """The server with a toy model."""

    def __init__(self, base: Path, logs: Path, *flags: str) -> None:
        self.port = free_port()
        command = [*SERVER, f"--port={free_port()}", f"--rest_api_port={self.port}"]
        command += ["--model_name=toy", f"--model_base_path={base}"]
        super().__init__([*command, *flags], {}, logs / "toy.log")

    def available(self) -> "ToyServer":
        """Wait until the model is available."""
        wait_for(
            lambda: b"AVAILABLE" in reads(f"http://127.0.0.1:{self.port}/v1/models/toy"), 60, "the model"
        )
        return self

    def predict(self, body: Any) -> tuple[int, Any]:
        """Return the status and the answer to a predict request."""
        with connected(self.port) as connection:
            return ask(connection, "POST", "/v1/models/toy:predict", body)

    def states(self) -> dict[str, str]:
        """Return the state of each version."""
        with connected(self.port) as connection:
            _, answer = ask(connection, "GET", "/v1/models/toy")
        return {status["version"]: status["state"] for status in answer["model_version_status"]}


def connected(port: int) -> closing[http.client.HTTPConnection]:
    """Return a connection, kept open between requests and closed with the block."""
    return closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30))


def ask(connection: http.client.HTTPConnection, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Return the status and the JSON value of an answer."""
    connection.request(method, path, json.dumps(body).encode())
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def run(*flags: str) -> subprocess.CompletedProcess[str]:
    """Run the server until it ends by itself."""
    return subprocess.run(
        [*SERVER, f"--port={free_port()}", *flags],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
    )


@pytest.fixture(scope="module")
def server(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ToyServer]:
    flags = ("--rest_api_timeout_in_ms", "1500", "--rest_api_enable_cors_support")
    with ToyServer(toy, tmp_path_factory.mktemp("logs"), *flags) as server:
        yield server.available()


Frames = Callable[..., list[bytes]]


@pytest.fixture
def classify(model_server: ModelServer) -> Iterator[Callable[[Any], tuple[int, Any]]]:
    """Ask the ImageNet model."""
    with connected(int(model_server.base.rpartition(":")[2])) as connection:
        yield lambda body: ask(connection, "POST", "/v1/models/imagenet:predict", body)


Classify = Callable[[Any], tuple[int, Any]]


def test_a_tie_is_recognised(classify: Classify, frames: Frames) -> None:
    names = json.loads(LABELS.read_text())
    pictures = [base64.b64encode(picture).decode() for picture in frames("carphone_pristine", step=20)]

    status, answer = classify({"instances": [{"image_bytes": {"b64": picture}} for picture in pictures]})

    assert status == 200
    assert [names[row["classes"] - 1] for row in answer["predictions"]] == ["Windsor tie"] * len(pictures)


def test_the_answer_has_both_outputs(classify: Classify, frames: Frames) -> None:
    picture = base64.b64encode(frames("bikes", step=100)[0]).decode()

    status, answer = classify({"inputs": {"image_bytes": [{"b64": picture}] * 2}})

    assert status == 200
    assert [len(row) for row in answer["outputs"]["probabilities"]] == [1001, 1001]
    assert len(set(answer["outputs"]["classes"])) == 1


def test_bytes_that_are_not_a_picture_are_refused(classify: Classify) -> None:
    status, answer = classify({"instances": ["no picture"]})

    assert status == 400
    assert "Traceback" not in answer["error"]


def test_the_lines_of_the_decoder_become_one_of_ours(
    model_server: ModelServer, classify: Classify, frames: Frames
) -> None:
    (picture, *_) = frames("bikes", step=100)
    broken = bytearray(picture)
    for at in range(len(broken) // 2, len(broken) - 100, 97):
        broken[at] ^= 0x55
    body = {"instances": [{"image_bytes": {"b64": base64.b64encode(broken).decode()}}]}
    before = len(model_server.text)

    def lines() -> list[str]:
        for _ in range(20):
            classify(body)
        # Not what requests with other pictures were answered.
        text = model_server.text[before:].replace("Invalid JPEG data", "")
        return [line for line in text.splitlines() if "JPEG data" in line]

    # A line like it that came up to a minute before is the one of that minute.
    (line,) = wait_for(lines, 90, "the line")
    assert "WARNING pipeline.service.stderr: a library says: " in line


def test_predict_reuses_one_connection(server: ToyServer) -> None:
    with connected(server.port) as connection:
        answers = [
            ask(connection, "POST", "/v1/models/toy:predict", {"instances": [number]}) for number in range(5)
        ]

    assert answers == [(200, {"predictions": [2.0 * number]}) for number in range(5)]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/models/toy", 200),
        ("GET", "/v1/models/toy/metadata", 200),
        ("GET", "/v1/models/toy?x=1", 404),
        ("GET", "/v1/models/%74oy", 200),
        ("GET", "/v1/models/to%2Fy", 404),
        ("GET", "/v1/models/", 400),
        ("POST", "/v1/models/toy:predict", 400),
        ("POST", "/v1/models/toy:classify", 400),
        ("DELETE", "/v1/models/toy", 400),
        ("POST", "/v1/models/toy", 400),
    ],
)
def test_urls_over_the_network(server: ToyServer, method: str, path: str, status: int) -> None:
    with connected(server.port) as connection:
        got, answer = ask(connection, method, path)

    assert got == status
    assert ("error" in answer) == (status != 200)


def test_a_run_that_takes_too_long_is_cancelled(server: ToyServer) -> None:
    started = time.monotonic()

    status, answer = server.predict({"signature_name": "spin", "inputs": [10**12]})

    assert status == 504
    assert set(answer) == {"error"}
    assert time.monotonic() - started < 10
    assert server.predict({"instances": [1]}) == (200, {"predictions": [2.0]})


def test_concurrent_requests_are_answered(server: ToyServer) -> None:
    answers: list[tuple[int, Any]] = []
    threads = [
        threading.Thread(target=lambda: answers.append(server.predict({"instances": [1]}))) for _ in range(30)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert answers == [(200, {"predictions": [2.0]})] * 30


def test_a_new_version_takes_over_without_a_failed_request(toy: Path, tmp_path: Path) -> None:
    base = tmp_path / "models"
    shutil.copytree(toy, base)
    toys.save(tmp_path / "new", factor=3.0)

    with ToyServer(base, tmp_path) as server:
        server.available()
        (tmp_path / "new").rename(base / "2")
        answers: list[tuple[int, Any]] = []
        while not answers or answers[-1] != (200, {"predictions": [3.0]}):
            answers.append(server.predict({"instances": [1]}))
            assert len(answers) < 10_000
        wait_for(lambda: server.states() == {"2": "AVAILABLE", "1": "END"}, 10, "the old version to end")

    assert {status for status, _ in answers} == {200}


def test_the_port_is_closed_until_there_is_a_version(toy: Path, tmp_path: Path) -> None:
    base = tmp_path / "models"

    with ToyServer(base, tmp_path) as server:
        wait_for(lambda: f"Could not find base path {base} for servable toy" in server.text, 30, "a line")
        base.mkdir()
        wait_for(
            lambda: "Did you forget to name your leaf directory as a number" in server.text, 10, "a line"
        )
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port), timeout=5)
        shutil.copytree(toy / "1", tmp_path / "copy")
        (tmp_path / "copy").rename(base / "1")
        server.available()

        assert f"Exporting HTTP/REST API at:localhost:{server.port} ..." in server.text
        assert "Running gRPC ModelServer at 0.0.0.0:" in server.text


def test_a_signal_ends_it_with_a_connected_client_and_an_active_run(toy: Path, tmp_path: Path) -> None:
    with ToyServer(toy, tmp_path) as server:
        server.available()
        with connected(server.port) as idle, connected(server.port) as busy, connected(server.port) as slow:
            ask(idle, "GET", "/v1/models/toy")
            body = json.dumps({"signature_name": "spin", "inputs": [10**12]})
            busy.request("POST", "/v1/models/toy:predict", body)
            slow.putrequest("POST", "/v1/models/toy:predict")
            slow.putheader("Content-Length", "100")
            slow.endheaders(b"{")
            time.sleep(0.3)
            server.signal(signal.SIGTERM)
            status = server.stop()
            unfinished = slow.getresponse().status

    assert status == 0
    assert unfinished == 503
    assert "Traceback" not in server.text


def test_a_signal_ends_it_while_it_waits_for_a_model(tmp_path: Path) -> None:
    with ToyServer(tmp_path, tmp_path) as server:
        wait_for(lambda: "No versions of servable toy found" in server.text, 30, "a line")
        server.signal(signal.SIGINT)
        assert server.stop() == 0


def test_a_model_that_cannot_be_loaded_is_reported(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1/saved_model.pb").write_bytes(b"nonsense")

    ended = run(f"--rest_api_port={free_port()}", f"--model_base_path={tmp_path}", "--max_num_load_retries=0")

    assert ended.returncode == 1
    reason = "1 servable(s) did not become available: {{{name: default version: 1} due to error: "
    assert f"Failed to start server. Error: UNKNOWN: {reason}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_taken_port_is_reported_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = [
            run(f"--{flag}={port}", f"--model_base_path={tmp_path}") for flag in ("port", "rest_api_port")
        ]

    line = f"Failed to start server. Error: port {port}: [Errno 98] Address already in use"
    assert [(each.returncode, each.stderr.splitlines()) for each in ended] == [(1, [line])] * 2


def test_a_wrong_flag_is_reported_in_one_line() -> None:
    ended = run("--model_base_path=/m", "--batching_parameters_file=/b")

    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        "Failed to start server. Error: INVALID_ARGUMENT: --batching_parameters_file is set without setting"
        " --enable_batching to true."
    ]


def test_wrong_flags_are_reported_before_tensorflow_is_imported() -> None:
    code = "import sys, tfserving.server.__main__; sys.exit('tensorflow' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30, cwd=ROOT).returncode == 0


def test_the_version_is_printed() -> None:
    ended = run("--version")

    assert ended.returncode == 0
    assert ended.stdout.startswith("TensorFlow ModelServer: ")
    assert ended.stderr == ""
