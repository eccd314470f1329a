"""The READMEs' commands, run in a shell."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from compose.broker import Broker
from producer.cameras.settings import CommandSettings
from tests.parts import ROOT, Process, wait_for
from tests.producer.cameras.onvif_camera import Discoverable, OnvifCamera

pytestmark = pytest.mark.parts

PLACE = "127.4.7.21"
PASSWORD = "secret pass"


def scripts() -> Iterator[str]:
    """Yield the blocks with this command."""
    for page in ("producer/README.md", "producer/cameras/README.md"):
        text = (ROOT / page).read_text()
        yield from (
            block
            for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
            if "python -m producer.cameras" in block
        )


def run(script: str, folder: Path, **variables: str) -> str:
    """Run a script in a folder; return what it prints."""
    ours = {name.upper() for name in CommandSettings.model_fields}
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-e", "-c", script],
        env={**environment, "PATH": path, "PYTHONPATH": str(ROOT), **variables},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.mark.timeout(900)
def test_the_commands_do_what_the_readmes_say(tmp_path: Path, clips: Path) -> None:
    (tmp_path / "link.txt").write_text("rtsp://user:password@192.168.1.30/stream1\n")
    (tmp_path / "password.txt").write_text(f"{PASSWORD}\n")
    printed = ""
    with (
        Broker({"cameras": 1, "videocam": 4, "status": 1}) as broker,
        OnvifCamera(host=PLACE, profiles=(("sub", "Sub", 1280, 720, 20, "H264"),)) as camera,
        Discoverable(PLACE, f"http://{PLACE}:{camera.port}/onvif/device_service"),
    ):
        places = {
            "localhost:9092": broker.bootstrap,
            "rtsp://user:password@192.168.1.20/stream1": str(clips / "bikes.mp4"),
            "onvif://user:password@192.168.1.20": camera.link,
            "--user user": "--user admin",
            "192.168.1.20": PLACE,
        }
        for script in scripts():
            for shown, real in places.items():
                script = script.replace(shown, real)  # noqa: PLW2901
            printed += run(script, tmp_path, KAFKAPORT=broker.bootstrap)

    for line in (
        "added door, partition 0",
        "changed door: scale 1 → 0.5; models all → imagenet_1",
        "paused door",
        "removed door",
        "size   640 x 272",
        "added yard, partition 0",
        "encrypted 1 links with the first key, 0 failed",
        "added hall, partition",
        "added attic, partition",
    ):
        assert line in printed
    assert "192.168.1.30" not in (tmp_path / "cameras.yml").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
def test_other_users_do_not_see_the_password(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the command waits for its answer
        link = f"rtsp://joe:hunter2@127.0.0.1:{silent.getsockname()[1]}/"
        command = [sys.executable, "-m", "producer.cameras", "check", link]
        with Process(command, {}, tmp_path / "check.log") as checking:
            wait_for(lambda: "opening" in checking.text, 60, "the camera to be opened")
            shown = Path(f"/proc/{checking.pid}/cmdline").read_text()

    assert "hunter2" not in shown + checking.text
    assert "rtsp://joe:***@127.0.0.1" in shown
