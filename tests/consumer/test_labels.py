"""Where lists of labels come from, and what is said when there is none."""

import json
from pathlib import Path

import pytest

from consumer import labels
from pipeline.service.settings import SettingsError
from tests.consumer.fakes import ScriptedServer, hang, reply
from tests.parts import free_port

NAMES = ("tench", "goldfish", "crème brûlée")


def test_labels_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(NAMES))

    assert labels.load("imagenet_1", str(path)) == NAMES
    assert labels.load("imagenet_1", f"file://{path}") == NAMES


def test_labels_come_from_a_server() -> None:
    with ScriptedServer(reply(200, json.dumps(NAMES).encode())) as server:
        assert labels.load("imagenet_1", server.url) == NAMES


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"tench\ngoldfish",
        b"{}",
        b'{"0": "tench"}',
        b"[]",
        b"[1, 2]",
        b'"tench"',
        b"\xff\xfe\x00",
        b"[" * 99_999,
    ],
)
def test_what_is_no_list_of_texts_gets_one_line(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "labels.json"
    path.write_bytes(text)

    with pytest.raises(SettingsError) as caught:
        labels.load("imagenet_1", str(path))

    line = str(caught.value)
    assert len(line.splitlines()) == 1
    assert line.startswith(f"LABELURLS: the labels of imagenet_1 cannot be read from '{path}': ")


def test_a_missing_file_gets_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"LABELURLS: .*imagenet_1.*No such file") as caught:
        labels.load("imagenet_1", str(tmp_path / "none.json"))

    assert len(str(caught.value).splitlines()) == 1


def test_a_folder_gets_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"LABELURLS: .*imagenet_1.*directory"):
        labels.load("imagenet_1", str(tmp_path))


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_server_that_has_none_is_quoted(status: int) -> None:
    with (
        ScriptedServer(reply(status, b"no")) as server,
        pytest.raises(SettingsError, match=f"LABELURLS: .*the server answered {status}"),
    ):
        labels.load("imagenet_1", server.url)


def test_a_server_that_is_not_there_gets_one_line() -> None:
    with pytest.raises(SettingsError, match=r"LABELURLS: .*refused") as caught:
        labels.load("imagenet_1", f"http://127.0.0.1:{free_port()}/labels.json")

    assert len(str(caught.value).splitlines()) == 1


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consumer.labels._TIMEOUT", 0.1)

    with (
        ScriptedServer(hang) as server,
        pytest.raises(SettingsError, match=r"LABELURLS: .*timed out"),
    ):
        labels.load("imagenet_1", server.url)


def test_a_password_in_the_address_is_not_shown() -> None:
    with pytest.raises(SettingsError) as caught:
        labels.load("imagenet_1", f"http://user:geheim@127.0.0.1:{free_port()}/labels.json")

    assert "geheim" not in str(caught.value)
