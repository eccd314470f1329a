"""The README's first command, and its messages when something is wrong."""

import json
import shutil
import signal
import socket
import socketserver
import string
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

import psutil
import pytest

from compose import forks
from tests.bench.twelve import seen
from tests.parts import ROOT, Process, free_port, get, reads, wait_for
from tests.processes import Shown, child
from tests.video.test_logout import Server, write_users


def compose(*options: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "compose", "--no-training", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)


def test_make_run_prints_only_the_address_on_standard_output(tmp_path: Path) -> None:
    port = free_port()
    command = ["make", "--silent", "run", f"ARGS=--port {port} --no-model --no-training"]
    out, log = tmp_path / "out", tmp_path / "log"

    with (
        out.open("wb") as stdout,
        log.open("wb") as stderr,
        subprocess.Popen(command, cwd=ROOT, stdout=stdout, stderr=stderr) as run,
    ):
        try:
            wait_for(lambda: out.read_bytes() or run.poll() is not None, 90, "ready")
            assert run.poll() is None, log.read_text()
            child(psutil.Process(run.pid), "compose").send_signal(signal.SIGINT)
            status = run.wait(30)
        finally:
            run.terminate()

    assert status == 0, log.read_text()
    assert out.read_text() == f"ready: http://127.0.0.1:{port}/\n"
    assert "Traceback" not in log.read_text()


def posted(url: str, text: str, **headers: str) -> int:
    """Return the status of the answer to a POST."""
    headers = {"Content-Type": "application/json", **headers}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, text.encode(), headers), timeout=30
        ) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


def test_the_training_service_is_part_of_it_and_printed_with_its_address(tmp_path: Path) -> None:
    port, training = free_port(), free_port()
    command = [sys.executable, "-m", "compose", "--no-model", f"--port={port}", f"--training-port={training}"]
    address = f"http://127.0.0.1:{training}/"

    with Process(command, {"STATEFOLDER": str(tmp_path / "state")}, tmp_path / "log") as run:
        wait_for(lambda: f"to train models: {address}\n" in run.text, 90, "the line")
        assert "to change models from another machine: http://" in run.text
        assert get(f"{address}models/") == b"[]"
        # This machine may change models, and its page may, but no other site's.
        assert posted(f"{address}configurations/", "{}") == 400
        assert posted(f"{address}configurations/", "{}", Origin="http://evil") == 403
        status = run.stop(30)

    assert status == 0
    assert (tmp_path / "state/training/jobs.key").stat().st_mode & 0o777 == 0o600
    assert "Traceback" not in run.text


def test_trained_models_are_served_next_to_the_own_one_and_all_else_has_priority(tmp_path: Path) -> None:
    ports = (f"--port={free_port()}", f"--training-port={free_port()}")
    says = "trained models are served at "

    with Process(
        [sys.executable, "-m", "compose", *ports], {"STATEFOLDER": str(tmp_path / "state")}, tmp_path / "log"
    ) as run:
        wait_for(lambda: says in run.text, 120, "the line")
        address = run.text.partition(says)[2].partition("NAME")[0]

        def state(model: str) -> list[str]:
            answer = json.loads(reads(f"{address}{model}") or b"{}")
            return [each["state"] for each in answer.get("model_version_status", [])]

        shutil.copytree(ROOT / "build/models/imagenet", tmp_path / "again")
        (tmp_path / "again").rename(tmp_path / "state/models/again")
        wait_for(lambda: state("again") == ["AVAILABLE"], 60, "the trained model")
        assert state("imagenet") == ["AVAILABLE"]
        training = child(psutil.Process(run.pid), "training")
        assert training.nice() == min(19, psutil.Process(run.pid).nice() + 10)
        assert run.stop(30) == 0

    assert "Traceback" not in run.text


def test_it_stops_by_itself_after_the_seconds_it_was_given() -> None:
    begun = time.monotonic()

    run = compose("--port", str(free_port()), "--no-model", "--seconds", "2")

    assert run.returncode == 0, run.stderr
    assert time.monotonic() - begun >= 2
    assert run.stderr.rstrip().endswith("| stopped")
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
def test_a_wrong_command_line_is_reported_in_one_line(options: list[str], says: str) -> None:
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


def test_an_unreachable_camera_is_named_without_its_password_and_tried_again() -> None:
    run = compose(
        "--port",
        str(free_port()),
        "--no-model",
        "--seconds",
        "25",
        "--camera",
        "door=rtsp://user:secret@127.0.0.1:1/live",
    )

    assert run.returncode == 0
    assert "no camera delivers: camera door: " in run.stderr
    assert "secret" not in run.stderr


class HangsUp(socketserver.BaseRequestHandler):
    """Closes the connection after the first request, as a port with TLS does."""

    def handle(self) -> None:
        self.request.recv(1000)


def test_it_says_once_what_keeps_all_parts_from_kafka(tmp_path: Path) -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), HangsUp) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        kafka = f"127.0.0.1:{server.server_address[1]}"
        command = [
            sys.executable,
            "-m",
            "compose",
            "--no-training",
            "--kafka",
            kafka,
            "--no-model",
            "--port",
            str(free_port()),
        ]
        why = f"Kafka's port {kafka} closes connections without TLS: "
        line = f"waiting for producer, consumer, video ({why}"

        with Process(command, {}, tmp_path / "compose.log") as run:
            wait_for(lambda: line in run.text, 60, line)
        server.shutdown()


def test_after_a_restart_who_has_logged_out_stays_so_and_others_stay_logged_in(tmp_path: Path) -> None:
    state = {"STATEFOLDER": str(tmp_path / "state")}
    kept = tmp_path / "state/logouts.json"
    options = ["--no-model", "--users", str(write_users(tmp_path))]

    def run(port: int) -> Process:
        command = [sys.executable, "-m", "compose", "--no-training", "--port", str(port), *options]
        return Process(command, state, tmp_path / f"{port}.log")

    with run(port := free_port()) as first:
        server = Server(first, port)
        wait_for(lambda: f"ready: http://127.0.0.1:{port}/" in first.text, 60, "ready")
        out, staying = server.log_in(), server.log_in()
        server.log_out(out)
        wait_for(lambda: kept.exists() and len(json.loads(kept.read_text())) == 2, 30, "the logout")
        assert first.stop(30) == 0
    with run(port := free_port()) as second:
        server = Server(second, port)
        wait_for(lambda: f"ready: http://127.0.0.1:{port}/" in second.text, 60, "ready")
        server.wait(staying, 200)
        assert server.status(out) == 401


def test_twelve_cameras_deliver_and_a_producer_that_crashes_comes_back(clips: Path, tmp_path: Path) -> None:
    port, names, log = free_port(), set(string.ascii_lowercase[:12]), tmp_path / "log"
    cameras = [f"--camera={name}={clips / 'carphone_pristine.mp4'}" for name in sorted(names)]
    command = [
        sys.executable,
        "-m",
        "compose",
        "--no-training",
        f"--port={port}",
        "--no-model",
        "--producers=3",
        *cameras,
    ]

    def ready() -> int:
        return log.read_bytes().count(b" is ready after")

    with log.open("wb") as stderr, subprocess.Popen(command, cwd=ROOT, stderr=stderr) as run:
        try:
            wait_for(lambda: seen(port) == names, 90, "pictures of all cameras")
            wait_for(lambda: ready() == 3 + 3, 30, "compose to find all ready")
            before = producers(run.pid)
            assert len(before) == 3
            next(iter(before)).kill()
            wait_for(lambda: b"SIGKILL" in log.read_bytes(), 10, "compose to notice")
            wait_for(lambda: len(producers(run.pid)) == 3, 30, "another producer")
            wait_for(lambda: ready() == 3 + 4, 30, "it to be ready")
            wait_for(lambda: live(port) == names, 60, "all cameras to be captured again")
            run.send_signal(signal.SIGINT)
            status = run.wait(30)
        finally:
            run.terminate()

    assert status == 0, log.read_text()
    assert "Traceback" not in log.read_text()
    assert not any(process.is_running() for process in before)


def live(port: int) -> set[str]:
    """Return the cameras whose pictures are live."""
    found = json.loads(reads(f"http://127.0.0.1:{port}/api/cameras") or b"[]")
    return {camera["name"] for camera in found if camera["state"] == "live"}


def test_cameras_are_kept_over_a_restart_and_the_demo_is_not_among_them(clips: Path, tmp_path: Path) -> None:
    state = {"STATEFOLDER": str(tmp_path / "state")}
    door = f"--camera=door={clips / 'carphone_pristine.mp4'}"

    def shown(*options: str, expect: set[str], **variables: str) -> str:
        port = free_port()
        command = [sys.executable, "-m", "compose", "--no-training", f"--port={port}", "--no-model", *options]
        with Process(command, {**state, **variables}, tmp_path / f"{port}.log") as run:
            wait_for(lambda: live(port) == expect, 60, f"{expect} and no others")
            wait_for(lambda: f"ready: http://127.0.0.1:{port}/" in run.text, 60, "ready")
            assert run.stop(30) == 0
            return run.text

    assert "to change the cameras: http://" in shown(expect={"bikes"})
    shown(door, expect={"door"})
    shown(expect={"door"})
    hall = {"VIDEOLINK": str(clips / "bikes.mp4"), "CAMERANAME": "hall"}
    shown(expect={"door", "hall"}, **hall)
    text = shown(expect={"door", "hall"})

    kept = json.loads((tmp_path / "state/cameras.json").read_text())
    assert kept.keys() == {"door", "hall"}
    assert "carphone" not in json.dumps(kept), "links are encrypted"
    key = (tmp_path / "state/cameras.key").read_text().strip()
    assert key not in text
    assert (tmp_path / "state/cameras.key").stat().st_mode & 0o777 == 0o600


def test_the_command_that_compose_prints_lists_the_cameras(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "compose", "--no-training", f"--port={port}", "--no-model"]
    with Process(command, {"STATEFOLDER": str(tmp_path / "state")}, tmp_path / "log") as run:
        wait_for(lambda: "to change the cameras: " in run.text, 60, "the line")
        (line,) = (line for line in run.text.splitlines() if "to change the cameras: " in line)

        listed = subprocess.run(
            line.partition(", or ")[2], shell=True, cwd=ROOT, capture_output=True, text=True, check=True
        )

    assert "bikes" in listed.stdout


def producers(pid: int) -> set[psutil.Process]:
    """Return compose's producers, which share a parent on Linux."""
    module = "compose.forkserver" if forks.IS_SAFE else "producer"
    below = psutil.Process(pid).children(recursive=True)
    found = {process for process in below if Shown.of(process).command[1:3] == ("-m", module)}
    return found - set(psutil.Process(pid).children()) if forks.IS_SAFE else found
