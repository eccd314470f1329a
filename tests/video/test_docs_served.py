"""What the READMEs show is so: their commands, run against a real server."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from pipeline.wire.predictions import Prediction, Result
from tests.conftest import missing
from tests.films import Camera, Films
from tests.parts import ROOT, Service, embedded_broker, free_port, get, wait_for
from tests.video.test_docs import README, SOCKET, blocks, quoted, rows
from video.api import models
from video.streams.socket import wire

pytestmark = [pytest.mark.parts, pytest.mark.outside]

PASSWORD = "correct horse"


def tie(seq: int) -> list[Prediction]:
    """Say now `Windsor tie`, now `suit`."""
    label = "Windsor tie" if seq // 10 % 2 else "suit"
    return [Prediction("imagenet_1", (Result(label, 0.93),), seq, 40)]


class Site:
    """A video server that shows `door`, `yard-1` and `hall`, with or without users."""

    def __init__(self, stack: ExitStack, bootstrap: str, folder: Path, **variables: str) -> None:
        self.folder = folder
        self.host = f"127.0.0.1:{free_port()}"
        settings = {"KAFKAPORT": bootstrap, "DISPLAYPORT": self.host, **variables}
        self.video = stack.enter_context(Service("video", settings, folder, self.host.partition(":")[2]))

    def run(self, script: str, **variables: str) -> str:
        """Run a script of the README's against this server, and return what it prints."""
        return run(script.replace("127.0.0.1:30163", self.host), self.folder, **variables)


def run(script: str, folder: Path, **variables: str) -> str:
    """Run a script of the README's in a folder, with a password for each command that asks for one."""
    script = script.replace(
        "python -m pipeline.users add", f"echo '{PASSWORD}' | python -m pipeline.users add"
    )
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-e", "-c", script.replace("curl ", "curl --fail --silent --show-error ")],
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Site, str]]:
    """A server that is open to all, one with the users that the README makes, and ann's token."""
    if shutil.which("curl") is None:
        missing("curl", "install the package curl")
    folder = tmp_path_factory.mktemp("docs")
    (make_users,) = (block for block in blocks("sh") if "export USERS" in block)
    script = make_users.replace("/etc/streamlens", str(folder)) + 'echo "$TOKEN"\n'
    token = run(script, folder).strip()
    with ExitStack() as stack:
        bootstrap, _ = stack.enter_context(embedded_broker(folder))
        site = Site(stack, bootstrap, folder)
        closed = Site(stack, bootstrap, folder, USERS=str(folder / "users.json"))
        stack.enter_context(
            Films(bootstrap, [Camera(name, labels=tie) for name in ("door", "yard-1", "hall")])
        )
        site.video.ready()
        closed.video.ready()
        yield site, closed, token


def command(start: str) -> str:
    """Return the one line of the commands that begins so."""
    (line,) = (line for block in blocks("sh") for line in block.splitlines() if line.startswith(start))
    return line


def test_the_cameras_and_a_snapshot_are_fetched_as_shown(sites: tuple[Site, Site, str]) -> None:
    site, _, _ = sites
    wait_for(lambda: len(json.loads(site.run(command("curl http")))) == 3, 10, "all cameras")

    site.run(command("curl -o door.jpg http"))

    assert (site.folder / "door.jpg").read_bytes().startswith(b"\xff\xd8")


def test_labels_are_fetched_as_shown(sites: tuple[Site, Site, str]) -> None:
    site, _, _ = sites
    an_hour_ago = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600))
    line = re.sub(r"from=[^&]*", f"from={an_hour_ago}", command("curl 'http://127.0.0.1:30163/api/labels"))

    events: list[dict[str, Any]] = wait_for(lambda: json.loads(site.run(line)), 10, "a label")

    assert [event.keys() for event in events] == [models.LABEL_EVENT.keys()]
    assert events[0]["label"] == "Windsor tie"
    assert get(f"http://{site.host}{events[0]['snapshot']}").startswith(b"\xff\xd8")


def test_events_come_as_shown(sites: tuple[Site, Site, str]) -> None:
    site, _, _ = sites
    line = command("curl --no-buffer").replace("--max-time 5", "--max-time 2")
    (shown,) = (block for block in blocks("") if block.startswith("retry:"))

    documented = site.run(f"{line} || [ $? = 28 ]")

    forms = [
        re.sub(r"\d{19}", "ID", text).partition("data:")[0].split("\n\n")[:2] for text in (shown, documented)
    ]
    assert forms[0] == forms[1]


def test_a_user_that_is_made_as_shown_gets_what_may_be_seen(sites: tuple[Site, Site, str]) -> None:
    _, site, token = sites
    cameras = command("curl -H")
    wait_for(lambda: len(json.loads(site.run(cameras, TOKEN=token))) == 2, 10, "both cameras")

    site.run(command('curl -o door.jpg "http://ann:'), TOKEN=token)

    assert [each["name"] for each in json.loads(site.run(cameras, TOKEN=token))] == ["door", "yard-1"]
    with pytest.raises(AssertionError, match="401"):
        site.run(cameras, TOKEN="another")


def test_the_tool_has_the_commands_that_are_named() -> None:
    (line,) = (line for line in README.splitlines() if line.startswith("- `python -m pipeline.users "))
    named = {name.split()[-1] for name in quoted(line)} - {"--help"}

    documented = run("python -m pipeline.users --help", ROOT)

    commands = set(re.findall(r"^    (\w+)  ", documented, re.MULTILINE))
    assert named <= commands
    assert commands - named == {"add", "token"}, "those of the example"


def test_a_socket_sends_the_documented_messages(sites: tuple[Site, Site, str]) -> None:
    site, _, _ = sites
    sent, answers = SOCKET.partition("## Messages from the server")[::2]
    shown = [
        json.loads(text.replace("[...]", "[]"))
        for cell, _ in rows(2, answers)
        for text in quoted(cell)[:1]
        if text[0] == "{"
    ]
    watch, _, clock = (text for cell, _ in rows(2, sent) for text in quoted(cell) if text[0] == "{")

    with connect(f"ws://{site.host}/ws", compression=None) as socket:
        cameras = json.loads(socket.recv(5))
        socket.send(watch)
        socket.send(clock)
        pictures: list[bytes] = []
        texts: list[dict[str, Any]] = []
        while not (pictures and texts):
            message = socket.recv(5)
            if isinstance(message, bytes):
                pictures.append(message)
            elif json.loads(message)["type"] == "time":
                texts.append(json.loads(message))

    assert cameras.keys() == shown[0].keys()
    assert texts[0].keys() == shown[1].keys()
    assert texts[0]["echo"] == shown[1]["echo"]
    ids = {each["name"]: each["id"] for each in cameras["cameras"]}
    head = wire.PICTURE.unpack_from(pictures[0])
    assert (head[0], head[2]) == (1, ids["door"])
    assert pictures[0][wire.PICTURE.size :].startswith(b"\xff\xd8")


def drain(socket: ClientConnection) -> None:
    """Read what comes, up to the end."""
    while True:
        socket.recv(5)


@pytest.mark.parametrize(
    ("message", "code"), [("no JSON", 1007), ("{}", 1008), (b"{}", 1008), ('"' + "x" * 66_000, 1009)]
)
def test_a_socket_ends_with_the_documented_code(
    sites: tuple[Site, Site, str], message: str | bytes, code: int
) -> None:
    site, _, _ = sites
    assert f"| {code} | " in SOCKET

    with connect(f"ws://{site.host}/ws", compression=None) as socket:
        socket.send(message)
        with pytest.raises(ConnectionClosed):
            drain(socket)

    assert socket.close_code == code


def test_the_metrics_are_those_there_are(sites: tuple[Site, Site, str]) -> None:
    site, _, _ = sites
    documented = dict(re.findall(r"^\| `(streamlens_\w+)(?:\{(\w+)\})?` \|", README, re.MULTILINE))
    every_service_has = {"frames_in_total", "frames_out_total", "frames_dropped_total", "frame_age_seconds"}
    every_service_has |= {"worker_restarts_total", "poison_messages_total", "frames_corrected_total"}
    every_service_has |= {"messages_skipped_total", "library_lines_total"}
    web_servers_have = {"connections_refused_total", "tls_failed_total", "certificate_expiry_seconds"}
    web_servers_have |= {"bad_logout_records_total"}
    others = every_service_has | web_servers_have

    with connect(f"ws://{site.host}/ws") as socket:
        socket.send('{"type": "watch", "cameras": {"door": 64}}')
        wait_for(lambda: isinstance(socket.recv(5), bytes), 5, "a picture")
        text = get(f"{site.video.health}/metrics").decode()

    there = re.findall(r"^# HELP (streamlens_\w+)", text, re.MULTILINE)
    own = {name for name in there if name.removeprefix("streamlens_") not in others}
    assert {name for name in own if not name.endswith("_created")} == documented.keys()
    for name, label in re.findall(r"^(streamlens_\w+)\{(\w+)=", text, re.MULTILINE):
        assert documented.get(name, label) == label, name
