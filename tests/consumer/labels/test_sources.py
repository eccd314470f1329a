"""Where labels come from, that they are read again when they change, and the errors."""

import json
import os
import socket
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from consumer.labels import sources
from consumer.labels.labels import Labels
from consumer.labels.sources import LabelSource, keep_fresh, source
from pipeline.model_server.errors import UNREAD, ModelError
from pipeline.model_server.login import NO_LOGIN, Login
from pipeline.service.settings import SettingsError
from pipeline.service.values import Address
from pipeline.service.workers import Pulse
from tests.clock import Clock
from tests.consumer.fakes import Answer, Request, ScriptedServer, hang, reply
from tests.parts import free_port, wait_for

NAMES = ("tench", "goldfish", "crème brûlée")
JSON = json.dumps(NAMES).encode()


def at(
    url: str, clock: Clock | None = None, login: Login = NO_LOGIN, services: tuple[Address, ...] = ()
) -> LabelSource:
    """Return the labels at a URL."""
    read = partial(sources._download, login, services)
    return LabelSource("imagenet_1", url, read, 30, (clock or Clock()).monotonic)


def names(labels: LabelSource, version: int | None = None) -> tuple[str, ...]:
    """Read what is due, and return the labels."""
    labels.refresh()
    return labels(version).names


def test_a_file_is_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "my labels.json"
    path.write_bytes(JSON)

    places = [str(path), f"file://{path}", f"FILE://{str(path).replace(' ', '%20')}"]
    found = [source("imagenet_1", place) for place in places]
    path.unlink()

    assert [labels().names for labels in found] == [NAMES, NAMES, NAMES]


def test_the_name_of_a_file_tells_csv_from_text(tmp_path: Path) -> None:
    for name in ("labels.csv", "labels.txt"):
        (tmp_path / name).write_text("1,tench\n2,goldfish\n")

    assert source("imagenet_1", str(tmp_path / "labels.csv"))() == Labels(("tench", "goldfish"), (1, 2))
    with ScriptedServer(reply(200, b"1,tench\n2,goldfish\n")) as server:
        labels = at(server.base + "/labels.csv?token=1")
        assert names(labels) == ("tench", "goldfish")


@pytest.mark.parametrize(
    ("name", "reason"), [("none.json", "No such file"), ("", "directory"), ("bad.json", "invalid JSON")]
)
def test_a_wrong_path_or_a_malformed_file_is_a_settings_error(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "bad.json").write_text("[")

    with pytest.raises(SettingsError) as caught:
        source("imagenet_1", str(tmp_path / name))

    line = str(caught.value)
    assert len(line.splitlines()) == 1
    assert line.startswith("LABELURLS: ")
    assert all(part in line for part in ("imagenet_1", str(tmp_path), reason)), line


@pytest.mark.parametrize("url", ["http://", "http:///labels.json", "http://[/x", "http://host:99999/x"])
def test_a_malformed_url_is_a_settings_error(url: str) -> None:
    with pytest.raises(SettingsError, match="expected a URL") as caught:
        source("imagenet_1", url)

    assert "imagenet_1" in str(caught.value)


def test_labels_at_a_url_with_another_scheme_are_a_settings_error() -> None:
    with pytest.raises(SettingsError, match="expected http, https or file"):
        source("imagenet_1", "ftp://host/labels.json")


def file_source(path: Path, clock: Clock) -> LabelSource:
    """Return the labels in a file."""
    return LabelSource("imagenet_1", str(path), sources._read_file, 2, clock.monotonic)


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    path, clock = tmp_path / "labels.txt", Clock()
    path.write_text("tench")
    labels = file_source(path, clock)
    assert names(labels) == ("tench",)

    (tmp_path / "new").write_text("goldfish")
    os.replace(tmp_path / "new", path)
    assert names(labels) == ("tench",), "it is looked at every two seconds"
    clock.now += 2

    assert names(labels) == ("goldfish",)


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_text("[")])
def test_labels_stay_while_their_file_is_missing_or_malformed(
    tmp_path: Path, spoil: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    path, clock = tmp_path / "labels.txt", Clock()
    path.write_text("tench")
    labels = file_source(path, clock)
    labels.refresh()

    spoil(path)
    for _ in range(3):
        clock.now += 4
        assert names(labels) == ("tench",)
    path.write_text("goldfish")
    clock.now += 30

    assert names(labels) == ("goldfish",)
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "the old ones stay in use" in warnings[0]


def test_labels_at_a_url_are_downloaded_when_they_are_due_and_only_if_they_have_changed() -> None:
    clock, conditions = Clock(), list[tuple[str | None, str | None]]()

    def answer(request: Request, _: bytes) -> None:
        conditions.append((request.headers["If-None-Match"], request.headers["If-Modified-Since"]))
        if request.headers["If-None-Match"] == '"1"':
            reply(304, b"")(request, b"")
            return
        request.send_response(200)
        request.send_header("ETag", '"1"')
        request.send_header("Content-Length", str(len(JSON)))
        request.end_headers()
        request.wfile.write(JSON)

    with ScriptedServer(answer) as server:
        labels = at(server.url, clock)
        assert not server.bodies
        for _ in range(2):
            assert names(labels) == NAMES
        clock.now += 30
        assert names(labels) == NAMES

    assert conditions == [(None, None), ('"1"', None)]


def test_a_server_without_versions_sends_the_labels_again() -> None:
    clock = Clock()

    with ScriptedServer(reply(200, JSON), reply(200, b"tench")) as server:
        labels = at(server.url, clock)
        first = names(labels)
        clock.now += 30

        assert (first, names(labels)) == (NAMES, ("tench",))


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
        assert names(at(server.url)) == ("tench",)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (reply(404, b"no"), "answered 404"),
        (reply(500, b"no"), "answered 500"),
        (reply(304, b""), "answered 304"),
        (reply(200, b"<html>"), "expected a JSON list"),
        (reply(200, b"[1]"), "string"),
    ],
)
def test_a_download_that_fails_is_reported_and_tried_again_after_a_while(answer: Answer, reason: str) -> None:
    clock = Clock()

    with ScriptedServer(answer, reply(200, JSON)) as server:
        labels = at(server.url, clock)
        errors = []
        for _ in range(3):
            with pytest.raises(ModelError, match=reason) as caught:
                names(labels)
            errors.append(caught.value)
        attempts = len(server.bodies)
        clock.now += 1

        assert names(labels) == NAMES

    assert attempts == 1
    assert {error.kind for error in errors} == {"labels"}
    assert "LABELURLS" in str(errors[0])
    assert "imagenet_1" in str(errors[0])
    assert server.url in str(errors[0])


def test_the_delay_between_attempts_grows_to_half_a_minute() -> None:
    clock, delays = Clock(), []

    with ScriptedServer(reply(404, b"no")) as server:
        labels = at(server.url, clock)
        for attempt in range(1, 9):
            begun = clock.now
            while len(server.bodies) < attempt:
                clock.now += 0.5
                labels.refresh()
            delays.append(clock.now - begun)

    assert delays[1:] == [1, 2, 4, 8, 16, 30, 30]


def test_a_server_that_is_not_there_is_reported() -> None:
    labels = at(f"http://127.0.0.1:{free_port()}/labels.json")

    with pytest.raises(ModelError, match="cannot connect: Connection refused"):
        names(labels)


def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_TIMEOUT", 0.1)

    with ScriptedServer(hang) as server, pytest.raises(ModelError, match="no answer within"):
        names(at(server.url))


def test_the_environments_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    paths = []

    def answer(request: Request, _: bytes) -> None:
        paths.append(request.path)
        reply(200, JSON)(request, b"")

    with ScriptedServer(answer) as proxy:
        monkeypatch.setenv("http_proxy", proxy.base)

        assert names(at("http://labels.invalid/labels.json")) == NAMES

    assert paths == ["http://labels.invalid/labels.json"]


def moved(location: str) -> Answer:
    """Redirect to a location."""

    def answer(request: Request, _: bytes) -> None:
        request.send_response(302)
        request.send_header("Location", location)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


@pytest.mark.parametrize(
    ("location", "text"),
    [
        ("http://169.254.169.254/latest", "leads to 169.254.169.254, where a cloud keeps its metadata"),
        ("http://[::ffff:169.254.169.254]/latest", "where a cloud keeps its metadata"),
        ("http://169.254.3.4/", "leads to 169.254.3.4, a link-local address"),
        ("http://127.0.0.2:1/", "leads to 127.0.0.2, an address of this machine"),
        ("http://2130706434:1/", "leads to 127.0.0.2, an address of this machine"),
        ("http://[::1]:1/", "leads to ::1, an address of this machine"),
        ("file:///etc/hostname", "No connection adapters"),
    ],
)
def test_a_redirection_that_leads_too_far_is_named(location: str, text: str) -> None:
    with ScriptedServer(moved(location)) as server, pytest.raises(ModelError) as caught:
        names(at(server.url))

    assert text in str(caught.value)


@pytest.mark.exceeds("consumer.labels.download._MOST_REDIRECTS")
def test_redirections_in_a_circle_end() -> None:
    with ScriptedServer(moved("/again")) as server, pytest.raises(ModelError, match="redirects"):
        names(at(server.url))

    assert len(server.bodies) == 6


def test_a_redirection_to_our_own_service_is_refused_unless_the_url_names_it() -> None:
    with ScriptedServer(reply(200, JSON)) as ours:
        host, _, port = ours.base.removeprefix("http://").partition(":")
        services = (Address(host, int(port)),)
        with ScriptedServer(moved(ours.url)) as server, pytest.raises(ModelError, match="Streamlens itself"):
            names(at(server.url, services=services))

        assert ours.bodies == []
        assert names(at(ours.url, services=services)) == NAMES


def test_a_redirection_to_a_name_that_stands_for_this_machine_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ScriptedServer(reply(200, JSON)) as ours:
        port, real = ours.base.rpartition(":")[2], socket.getaddrinfo
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda host, *more, **options: real(
                "127.0.0.2" if host == "cdn.example" else host, *more, **options
            ),
        )
        location = f"http://cdn.example:{port}/labels.json"
        with ScriptedServer(moved(location)) as server, pytest.raises(ModelError, match="this machine"):
            names(at(server.url))

        assert ours.bodies == []


def test_metadata_is_not_requested_through_a_proxy_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with ScriptedServer(reply(200, JSON)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.base)

        with pytest.raises(ModelError, match="metadata"):
            names(at("http://169.254.169.254/labels.json"))

        assert proxy.bodies == []


def test_a_password_in_the_url_is_used_but_not_shown() -> None:
    passwords = []

    def answer(request: Request, _: bytes) -> None:
        passwords.append(request.headers["Authorization"])
        reply(401, b"no")(request, b"")

    with ScriptedServer(answer) as server, pytest.raises(ModelError) as caught:
        names(at(server.url.replace("//", "//user:secret@")))

    assert passwords == ["Basic dXNlcjpzZWNyZXQ="]
    assert "secret" not in str(caught.value)
    assert "check the login" in str(caught.value)


def test_labels_may_need_a_login() -> None:
    def answer(request: Request, body: bytes) -> None:
        good = request.headers["Authorization"] == "Bearer abc"
        (reply(200, JSON) if good else reply(401, b"no"))(request, body)

    with ScriptedServer(answer) as server:
        assert names(at(server.url, login=Login(token="abc"))) == NAMES
        with pytest.raises(ModelError, match="user and password, or token_file"):
            names(at(server.url))


def test_a_path_may_name_the_models_version(tmp_path: Path) -> None:
    for version, name in ((1, "tench"), (2, "goldfish")):
        (tmp_path / str(version)).mkdir()
        (tmp_path / str(version) / "labels.txt").write_text(name)
    labels = source("imagenet_1", f"{tmp_path}/{{version}}/labels.txt")

    assert labels.by_version
    for version in (2, 1, 7):
        with pytest.raises(ModelError, match="not been read yet") as caught:
            labels(version)
        assert caught.value.kind == UNREAD
        assert labels.wanted.is_set()
    labels.refresh()

    assert [labels(version).names for version in (1, 2)] == [("tench",), ("goldfish",)]
    with pytest.raises(ModelError, match=r"7/labels.txt.*No such file") as caught:
        labels(7)
    assert caught.value.kind == "labels"
    with pytest.raises(ModelError, match="version of imagenet_1 is not known"):
        labels(None)


def test_only_the_last_versions_are_kept(tmp_path: Path) -> None:
    labels = source("imagenet_1", f"{tmp_path}/{{version}}.txt")
    for version in range(100):
        (tmp_path / f"{version}.txt").write_text(f"label {version}")
        with pytest.raises(ModelError):
            labels(version)
        labels.refresh()

    assert labels(99).names == ("label 99",)
    assert len(labels._copies) == 4


def test_labels_that_are_wanted_are_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("tench")
    labels, pulse = LabelSource("imagenet_1", str(path), sources._read_file, 3600), Pulse(threading.Event())
    thread = threading.Thread(target=keep_fresh, args=(labels, pulse), daemon=True)
    thread.start()
    wait_for(lambda: labels._copies[None].labels, 10, "the labels")

    path.write_text("goldfish")
    labels.read_again()

    wait_for(lambda: labels().names == ("goldfish",), 10, "the new labels")
    pulse.stopping.set()
    thread.join(10)
    assert not thread.is_alive()
