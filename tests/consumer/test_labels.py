"""Where labels come from, which forms they may have, and the errors."""

import json
from pathlib import Path

import pytest

from consumer import labels
from consumer.labels import FetchedLabels
from consumer.model_server.errors import ModelError
from pipeline.service.settings import SettingsError
from tests.clock import Clock
from tests.consumer.fakes import Answer, Request, ScriptedServer, hang, reply
from tests.parts import free_port

NAMES = ("tench", "goldfish", "crème brûlée")
JSON = json.dumps(NAMES).encode()


@pytest.mark.parametrize(
    "data",
    [
        JSON,
        b"\n  " + JSON + b"\r\n\r\n",
        b"\xef\xbb\xbf" + JSON,
        json.dumps(NAMES, ensure_ascii=False, indent=1).encode(),
        json.dumps({"0": "tench", "1": "goldfish", "2": "crème brûlée"}).encode(),
        json.dumps({"2": "crème brûlée", "0": "tench", "1": "goldfish"}).encode(),
        "tench\ngoldfish\ncrème brûlée".encode(),
        "tench\r\ngoldfish\r\ncrème brûlée\r\n".encode(),
        "\ufefftench\ngoldfish\ncrème brûlée\n\n \n".encode(),
    ],
)
def test_every_unambiguous_form_is_accepted(data: bytes) -> None:
    assert labels.parse(data) == NAMES


def test_labels_may_repeat_and_contain_any_printable_text() -> None:
    text = "crane\ncrane\n0: a\u00a0b 👩\u200d🚀"

    assert labels.parse(text.encode()) == ("crane", "crane", "0: a\u00a0b 👩\u200d🚀")


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        (b"", ["expected a JSON list"]),
        (b" \n", ["expected a JSON list"]),
        (b"<html><body>Not found</body></html>", ["expected a JSON list", "<html>"]),
        (b'"tench"', ["expected a JSON list"]),
        (b"[]", ["at least one label"]),
        (b"{}", ["at least one label"]),
        (b"[1, 2]", ["string", "label 0", "found 1"]),
        (b'["tench", null]', ["string", "label 1", "found null"]),
        (b'{"0": ["n01440764", "tench"]}', ["string", "label 0", "n01440764"]),
        (b'{"1": "tench", "2": "goldfish"}', ["indices 0 to 1", "found '2'"]),
        (b'{"tench": 0, "goldfish": 1}', ["indices 0 to 1", "found 'goldfish'"]),
        (b'["tench",', ["invalid JSON", "column 10"]),
        (b"[" * 99_999, ["invalid JSON"]),
        (b"tench\n\ngoldfish", ["found none on line 2"]),
        (b"\ntench", ["found none on line 1"]),
        (b"tench\rgoldfish", ["printable", "label 0"]),
        (b"tench\ngold\x00fish", ["printable", "label 1"]),
        (b"0\ttench\n1\tgoldfish", ["printable", "label 0"]),
        (b'["\\ud800"]', ["printable", "label 0"]),
        ("crème brûlée".encode("latin-1"), ["UTF-8", "at 2"]),
        ("tench".encode("utf-16"), ["UTF-8", "at 0"]),
    ],
)
def test_anything_else_is_an_error_of_one_line_that_says_what_was_found(
    data: bytes, parts: list[str]
) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        labels.parse(data)

    line = str(caught.value)
    assert len(line.splitlines()) == 1
    assert all(part in line for part in parts), line


def test_a_file_is_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "my labels.json"
    path.write_bytes(JSON)

    places = [str(path), f"file://{path}", f"FILE://{str(path).replace(' ', '%20')}"]
    sources = [labels.source("imagenet_1", place) for place in places]
    path.unlink()

    assert [source() for source in sources] == [NAMES, NAMES, NAMES]


@pytest.mark.parametrize(
    ("name", "reason"), [("none.json", "No such file"), ("", "directory"), ("bad.json", "invalid JSON")]
)
def test_a_wrong_path_or_a_malformed_file_is_a_settings_error(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "bad.json").write_text("[")

    with pytest.raises(SettingsError) as caught:
        labels.source("imagenet_1", str(tmp_path / name))

    line = str(caught.value)
    assert len(line.splitlines()) == 1
    assert line.startswith("LABELURLS: ")
    assert all(part in line for part in ("imagenet_1", str(tmp_path), reason)), line


@pytest.mark.parametrize("url", ["http://", "http:///labels.json", "http://[/x", "http://host:99999/x"])
def test_a_malformed_url_is_a_settings_error(url: str) -> None:
    with pytest.raises(SettingsError, match="expected a URL") as caught:
        labels.source("imagenet_1", url)

    assert "imagenet_1" in str(caught.value)


def test_labels_are_downloaded_once() -> None:
    with ScriptedServer(reply(200, JSON)) as server:
        source = labels.source("imagenet_1", server.url)
        before = len(server.bodies)

        assert [source(), source()] == [NAMES, NAMES]

    assert before == 0
    assert len(server.bodies) == 1


def test_a_redirection_is_followed() -> None:
    def moved(request: Request, _: bytes) -> None:
        if request.path != "/labels.txt":
            request.send_response(302)
            request.send_header("Location", "/labels.txt")
            request.send_header("Content-Length", "0")
            request.end_headers()
        else:
            reply(200, b"tench\n")(request, b"")

    with ScriptedServer(moved) as server:
        assert labels.source("imagenet_1", server.url)() == ("tench",)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (reply(404, b"no"), "answered 404"),
        (reply(500, b"no"), "answered 500"),
        (reply(200, b"<html>"), "expected a JSON list"),
        (reply(200, b"[1]"), "string"),
    ],
)
def test_a_download_that_fails_is_reported_and_tried_again_after_a_while(answer: Answer, reason: str) -> None:
    clock = Clock()

    with ScriptedServer(answer, reply(200, JSON)) as server:
        source = FetchedLabels("imagenet_1", server.url, clock.monotonic)
        errors = []
        for _ in range(3):
            with pytest.raises(ModelError, match=reason) as caught:
                source()
            errors.append(caught.value)
        attempts = len(server.bodies)
        clock.now += 1

        assert source() == NAMES

    assert attempts == 1
    assert {error.kind for error in errors} == {"labels"}
    assert "LABELURLS" in str(errors[0])
    assert "imagenet_1" in str(errors[0])
    assert server.url in str(errors[0])


def test_the_delay_between_attempts_grows_to_half_a_minute() -> None:
    clock = Clock()
    delays = []

    with ScriptedServer(reply(404, b"no")) as server:
        source = FetchedLabels("imagenet_1", server.url, clock.monotonic)
        for attempt in range(1, 9):
            begun = clock.now
            while len(server.bodies) < attempt:
                clock.now += 0.5
                with pytest.raises(ModelError):
                    source()
            delays.append(clock.now - begun)

    assert delays[1:] == [1, 2, 4, 8, 16, 30, 30]


def test_a_server_that_is_not_there_is_reported() -> None:
    source = labels.source("imagenet_1", f"http://127.0.0.1:{free_port()}/labels.json")

    with pytest.raises(ModelError, match="cannot connect: Connection refused"):
        source()


def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consumer.labels._TIMEOUT", 0.1)

    with ScriptedServer(hang) as server, pytest.raises(ModelError, match="no answer within"):
        labels.source("imagenet_1", server.url)()


def test_the_environments_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    paths = []

    def answer(request: Request, _: bytes) -> None:
        paths.append(request.path)
        reply(200, JSON)(request, b"")

    with ScriptedServer(answer) as proxy:
        monkeypatch.setenv("http_proxy", proxy.base)

        assert labels.source("imagenet_1", "http://labels.invalid/labels.json")() == NAMES

    assert paths == ["http://labels.invalid/labels.json"]


def test_a_password_in_the_url_is_used_but_not_shown() -> None:
    passwords = []

    def answer(request: Request, _: bytes) -> None:
        passwords.append(request.headers["Authorization"])
        reply(401, b"no")(request, b"")

    with ScriptedServer(answer) as server, pytest.raises(ModelError) as caught:
        labels.source("imagenet_1", server.url.replace("//", "//user:secret@"))()

    assert passwords == ["Basic dXNlcjpzZWNyZXQ="]
    assert "secret" not in str(caught.value)
