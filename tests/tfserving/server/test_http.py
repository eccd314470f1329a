"""The server as a process with batching and metrics, over sockets that send what no normal client would."""

import contextlib
import gzip
import http.client
import json
import re
import shutil
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.parts import Process, free_port, get, reads, wait_for
from tests.tfserving import toys
from tfserving.server.monitoring.monitoring import DEFAULT_PATH

BATCHING = """
max_batch_size { value: 4 } batch_timeout_micros { value: 20000 } max_enqueued_batches { value: 100 }
allowed_batch_sizes: 2 allowed_batch_sizes: 4 num_batch_threads { value: 1 }
"""
PREDICT = "/v1/models/toy:predict"


@pytest.fixture(scope="module")
def folder(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's folder: its files, and the base path `models`."""
    folder = tmp_path_factory.mktemp("http")
    shutil.copytree(toy / "1", folder / "models/1")
    return folder


@pytest.fixture(scope="module")
def port(folder: Path) -> Iterator[int]:
    """The REST port of a server that batches and measures."""
    (folder / "batching").write_text(BATCHING)
    (folder / "monitoring").write_text("prometheus_config { enable: true }")
    port = free_port()
    flags = [
        *(f"--port={free_port()}", f"--rest_api_port={port}"),
        *(f"--model_base_path={folder}/models", "--model_name=toy"),
        *("--enable_batching", f"--batching_parameters_file={folder}/batching"),
        *(f"--monitoring_config_file={folder}/monitoring", "--rest_api_num_threads=8"),
    ]
    command = [sys.executable, "-m", "tfserving.server", *flags]
    with Process(command, {}, folder / "log") as server:
        wait_for(lambda: reads(f"http://127.0.0.1:{port}/v1/models/toy"), 60, "the model")
        yield port
        assert "Traceback" not in server.text


def send(port: int, *pieces: bytes, patience: float = 10) -> bytes:
    """Return what the server sends back until it closes the connection, or is silent for `patience` s."""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as client:
        for piece in pieces:
            client.sendall(piece)
        received = b""
        with contextlib.suppress(TimeoutError, ConnectionResetError):
            while data := client.recv(65536):
                received += data
        return received


def request(method: str, path: str, body: bytes = b"", *headers: str, version: str = "1.1") -> bytes:
    lines = [f"{method} {path} HTTP/{version}", "Host: a", *headers, "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + body


def post(body: bytes, *headers: str, version: str = "1.1") -> bytes:
    return request("POST", PREDICT, body, f"Content-Length: {len(body)}", *headers, version=version)


def status(answer: bytes) -> int:
    return int(answer.split(b" ")[1])


def content(answer: bytes) -> Any:
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def metrics(port: int) -> dict[str, float]:
    """Return the server's metrics, each by its name and labels."""
    lines = get(f"http://127.0.0.1:{port}{DEFAULT_PATH}").decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line[0] != "#"}


ONE = b'{"instances": [1.0]}'


def test_concurrent_requests_are_batched_and_measured(port: int) -> None:
    before = metrics(port)
    answers: list[Any] = []
    threads = [
        threading.Thread(target=lambda: answers.append(content(send(port, post(ONE))))) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    grown = {name: value - before.get(name, 0) for name, value in metrics(port).items()}

    assert answers == [{"predictions": [2.0]}] * 16
    assert grown[':tensorflow:serving:request_count{model_name="toy",status="OK"}'] == 16
    labels = 'model_name="toy",API="predict",entrypoint="REST"'
    assert grown[f":tensorflow:serving:request_latency_count{{{labels}}}"] == 16
    labels = 'model_name="toy",API="Predict",runtime="TF1"'
    assert grown[f":tensorflow:serving:runtime_latency_count{{{labels}}}"] == 16
    runs = grown[":tensorflow:serving:batching_session:wrapped_run_count{}"]
    assert 4 <= runs < 16
    assert grown[":tensorflow:core:graph_runs{}"] == runs


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"inputs": 1.0}', "must have at least one dimension"),
        (b'{"instances": [1, 2, 3, 4, 5]}', "Task size 5 is larger than maximum input batch size 4"),
        (b'{"signature_name": "scalar", "instances": [1]}', "Batched output tensor has 0 dimensions"),
    ],
)
def test_requests_that_cannot_be_batched_are_refused(port: int, body: bytes, message: str) -> None:
    answer = send(port, post(body))

    assert status(answer) == 400
    assert message in content(answer)["error"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/models/toy", 200),
        ("/v1/models/toy#fragment", 404),
        ("/v1/models/toy?", 404),
        ("/v1/models/toy?x=1", 404),
        ("/v1/models/to%79", 200),
        ("/v1/models/toy/", 400),
        ("//v1/models/toy", 404),
        ("/v1/../v1/models/toy", 400),
        ("http://a:1/v1/models/toy", 200),
        ("*", 404),
        ("/v1/models/" + "m" * 60_000, 404),
        (f"{DEFAULT_PATH}?x=1", 400),
    ],
)
def test_paths_are_used_as_they_come(port: int, path: str, expected: int) -> None:
    assert status(send(port, request("GET", path))) == expected


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_other_methods_are_malformed(port: int, method: str) -> None:
    answer = send(port, request(method, PREDICT))

    assert status(answer) == 400
    assert content(answer) == {"error": f"Malformed request: {method} {PREDICT}"}


def test_an_answer_to_head_has_no_body(port: int) -> None:
    answer = send(port, request("HEAD", "/v1/models/toy"))

    assert status(answer) == 400
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "garbage",
    [
        b"nonsense\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /v1/models/toy HTTP/9.9\r\n\r\n",
        b"GET /v1/models/\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /v1/models/toy HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST /v1/models/toy:predict HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST /v1/models/toy:predict HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/models/toy:predict HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\0" * 100,
    ],
)
def test_invalid_http_is_refused(port: int, garbage: bytes) -> None:
    assert status(send(port, garbage)) == 400
    assert status(send(port, request("GET", "/v1/models/toy"))) == 200


def test_a_chunked_upload_is_read(port: int) -> None:
    chunks = [b"%x\r\n%b\r\n" % (1, bytes([byte])) for byte in ONE]

    answer = send(port, request("POST", PREDICT, b"", "Transfer-Encoding: chunked"), *chunks, b"0\r\n\r\n")

    assert content(answer) == {"predictions": [2.0]}


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_http_1_0_and_1_1_are_served(port: int, version: str) -> None:
    assert content(send(port, post(ONE, version=version))) == {"predictions": [2.0]}


def test_a_gzipped_body_is_read(port: int) -> None:
    packed = gzip.compress(ONE)

    assert content(send(port, post(packed, "Content-Encoding: gzip"))) == {"predictions": [2.0]}


def test_a_client_that_expects_100_continue_gets_it(port: int) -> None:
    answer = send(port, post(b"", "Expect: 100-continue").replace(b"Length: 0", b"Length: 20"), ONE)

    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200")


def test_pipelined_requests_are_answered_in_order(port: int) -> None:
    go_on = b"Connection: close\r\n"

    answer = send(port, post(ONE).replace(go_on, b""), post(ONE).replace(go_on, b""), post(ONE))

    assert answer.count(b"HTTP/1.1 200") == 3
    assert answer.count(b'{"predictions": [2.0]}') == 3


def test_a_connection_outlasts_a_pause(port: int) -> None:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as client:
        client.connect()
        used = client.sock
        # uvicorn by itself would close it after five seconds.
        for pause in (6, 0):
            client.request("POST", PREDICT, b'{"instances": [1]}')
            assert json.loads(client.getresponse().read()) == {"predictions": [2.0]}
            assert client.sock is used
            time.sleep(pause)


def test_large_headers_and_bodies_are_read(port: int) -> None:
    padding = b" " * (31 << 20)

    assert status(send(port, post(ONE, "X-Long: " + "x" * 60_000))) == 200
    assert content(send(port, post(padding + ONE))) == {"predictions": [2.0]}


def test_clients_that_disconnect_do_not_affect_others(port: int) -> None:
    spin = b'{"signature_name": "spin", "instances": [200000]}'
    for cut in (10, 60, len(post(spin))):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            client.sendall(post(spin)[:cut])
            # The connection is reset, not closed.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    started = time.monotonic()

    assert content(send(port, post(ONE))) == {"predictions": [2.0]}
    assert time.monotonic() - started < 10


def test_the_metrics_are_in_prometheus_text_format(port: int) -> None:
    text = get(f"http://127.0.0.1:{port}{DEFAULT_PATH}").decode()
    sample = re.compile(r':tensorflow:[a-z0-9_:]+\{([A-Za-z_]+="[^"\n]*",?)*\} [0-9.e+]+')

    assert all(sample.fullmatch(line) for line in text.splitlines() if not line.startswith("# TYPE "))
    assert re.search(r':load_attempt_count\{model_path="[^"]*/1",status="success"\} 1\n', text)


def test_no_request_is_lost_when_a_new_version_takes_over(port: int, folder: Path) -> None:
    toys.save(folder / "new", factor=3.0)
    answers: list[tuple[int, Any]] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            answer = send(port, post(ONE))
            answers.append((status(answer), content(answer)))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(0.5)
        (folder / "new").rename(folder / "models/2")
        url = f"http://127.0.0.1:{port}/v1/models/toy"
        wait_for(lambda: b'"END"' in reads(url), 20, "the old version to end")
        time.sleep(0.5)
    finally:
        done.set()
        for thread in threads:
            thread.join(10)

    assert answers[0] == (200, {"predictions": [2.0]})
    assert answers[-1] == (200, {"predictions": [3.0]})
    assert {code for code, _ in answers} == {200}
