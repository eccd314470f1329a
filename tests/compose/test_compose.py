"""`python -m compose` itself, as far as it goes without the services."""

import socket
import subprocess
import sys

import pytest

from tests.parts import ROOT, free_port

pytestmark = pytest.mark.parts


def compose(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "compose", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("arguments", [["--camera", "door"], ["--seconds", "-1"], ["--kafka", "127.0.0.1:1"]])
def test_bad_input_is_one_line_and_exit_code_2(arguments: list[str]) -> None:
    ran = compose("--no-model", *arguments)

    assert (ran.returncode, ran.stdout) == (2, "")
    assert len(ran.stderr.splitlines()) == 1
    assert ran.stderr.startswith("compose: ")


def test_a_taken_port_is_one_line_and_exit_code_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        ran = compose("--no-model", "--port", str(port))

    assert ran.returncode == 2
    assert ran.stderr == (
        f"compose: port {port} is taken: stop what listens there or choose another with --port\n"
    )


def test_no_time_at_all() -> None:
    ran = compose("--no-model", "--camera", "desk=0", "--port", str(free_port()), "--seconds", "0")

    assert (ran.returncode, ran.stdout) == (0, "")
    assert ran.stderr.endswith("| stopped\n")
