"""`python -m compose` itself, as far as it goes without the services."""

import os
import socket
import subprocess
import sys

import pytest

from tests.parts import ROOT, free_port

pytestmark = pytest.mark.parts


def compose(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "compose", "--no-training", *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


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
    assert len(ran.stderr.splitlines()) == 1
    assert f"port {port} is taken" in ran.stderr


def test_wrong_settings_of_several_services_are_a_line_each_and_nothing_is_started() -> None:
    options = ("--no-model", "--camera", "desk=0", "--port", str(free_port()))
    ran = compose(*options, OPENTIMEOUT="soon", MAXBATCH="0", STALEAFTER="never")

    assert (ran.returncode, ran.stdout) == (2, "")
    starts = [line.partition("=")[0] for line in ran.stderr.splitlines()]
    assert starts == ["compose: OPENTIMEOUT", "compose: MAXBATCH", "compose: STALEAFTER"]


def test_streams_that_the_shell_has_closed() -> None:
    options = f"--no-model --no-training --camera desk=0 --port {free_port()} --seconds 0"
    command = f"exec {sys.executable} -m compose {options} >&- 2>&-"

    assert subprocess.run(command, shell=True, cwd=ROOT, timeout=30, check=False).returncode == 0


def test_zero_seconds() -> None:
    ran = compose("--no-model", "--camera", "desk=0", "--port", str(free_port()), "--seconds", "0")

    assert (ran.returncode, ran.stdout) == (0, "")
    assert ran.stderr.endswith("| stopped\n")
