"""Every answer over REST is one that openapi.json describes, whatever the request."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import Process, free_port, reads, wait_for

SCHEMA = Path(__file__).parent / "openapi.json"
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"

pytestmark = pytest.mark.parts


@pytest.fixture
def url(toy: Path, tmp_path: Path) -> Iterator[str]:
    port = free_port()
    flags = [f"--port={free_port()}", f"--rest_api_port={port}", f"--model_base_path={toy}"]
    command = [sys.executable, "-m", "tfserving.server", *flags, "--model_name=toy"]
    with Process(command, {}, tmp_path / "log") as server:
        wait_for(lambda: reads(f"http://127.0.0.1:{port}/v1/models/toy"), 120, "the model")
        yield f"http://127.0.0.1:{port}"
        assert "Traceback" not in server.text


def test_each_answer_is_described(url: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "schemathesis.cli", "run", str(SCHEMA), f"--url={url}"]
    options = ["--phases=coverage,fuzzing", f"--checks={CHECKS}", "--max-examples=10", "--seed=1"]
    options += ["--mode=all", "--generation-database=none", "--no-color"]

    run = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout[-5000:]


def test_the_schema_names_every_status_that_a_request_may_have() -> None:
    paths = json.loads(SCHEMA.read_text())["paths"]

    assert {"400", "404", "408", "413", "501", "503", "504"} < set(
        paths["/v1/models/{model}:predict"]["post"]["responses"]
    )
