"""What the model server says when it cannot start, before it imports TensorFlow."""

import logging
import socket
import sys
import threading
from pathlib import Path

import pytest

from tests.parts import free_port
from tfserving.server import __main__ as server
from tfserving.server import signals


@pytest.fixture(autouse=True)
def _process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave this process' signals and logging alone."""
    monkeypatch.setattr(signals, "stop_event", threading.Event)
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)


def test_a_missing_config_file_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["server", f"--model_config_file={tmp_path}/none"])

    assert server.main() == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("Failed to start server. Error: NOT_FOUND")
    assert f"{tmp_path}/none" in line


@pytest.mark.parametrize("flag", ["--port", "--rest_api_port"])
def test_a_port_that_is_taken_is_one_line(
    flag: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("0.0.0.0", 0)) as listener:
        port = listener.getsockname()[1]
        other = f"--port={free_port()}" if flag == "--rest_api_port" else "--rest_api_port=0"
        monkeypatch.setattr(sys, "argv", ["server", "--model_base_path=/m", f"{flag}={port}", other])

        assert server.main() == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert f"port {port}" in line
