"""The README's first command, and what it says when something is wrong."""

import socket
import subprocess
import sys
import time

import pytest

from tests.parts import ROOT, free_port


def compose(*options: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "compose", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)


def test_make_run_stops_by_itself_and_prints_only_the_address_on_standard_output() -> None:
    port = free_port()

    run = subprocess.run(
        ["make", "--silent", "run", f"ARGS=--port {port} --no-model --seconds 5"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    assert run.stdout == f"ready: http://127.0.0.1:{port}/\n"
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--camera", "door=/no/such/film.mp4"], "/no/such/film.mp4"),
        (["--camera", "door"], "door"),
        (["--kafka", "127.0.0.1:1"], "127.0.0.1:1"),
        (["--tfserving", "http://127.0.0.1:1"], "127.0.0.1:1"),
        (["--seconds", "-1"], "-1"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_what_cannot_run_ends_with_one_line(options: list[str], says: str) -> None:
    run = compose("--port", str(free_port()), *options)

    assert run.returncode == 2
    assert run.stdout == ""
    assert says in run.stderr.strip().splitlines()[-1]
    assert "Traceback" not in run.stderr


def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        run = compose("--port", str(port))

    assert run.returncode == 2
    assert f"port {port} is taken" in run.stderr


def test_a_camera_that_nobody_reaches_ends_the_run_and_its_password_is_not_shown() -> None:
    begun = time.monotonic()

    run = compose(
        "--port", str(free_port()), "--no-model", "--camera", "door=rtsp://user:secret@127.0.0.1:1/live"
    )

    assert run.returncode == 1
    assert "door" in run.stderr.splitlines()[-1] or "unreachable" in run.stderr
    assert "secret" not in run.stderr
    assert time.monotonic() - begun < 45
