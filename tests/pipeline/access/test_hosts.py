"""The names under which an open page answers."""

import socket

import pytest

from pipeline.access.gate import Gate
from pipeline.access.hosts import Hosts, explain, parse_hosts
from pipeline.access.proxy import ProxyHeaders
from pipeline.access.session import Sessions
from tests.pipeline.access.asgi import Client
from tests.pipeline.access.test_gate import app


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Hosts:
    """The hosts of a machine named nas.fritz.box."""
    monkeypatch.setattr(socket, "gethostname", lambda: "NAS.fritz.box")
    return Hosts(("cams.example", "*.cameras.example"))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:30163",
        "192.168.1.20:8080",
        "[::1]:8080",
        "[fd00::1]",
        "localhost:1",
        "LOCALHOST",
        "localhost.",
        "page.localhost",
        "nas",
        "nas.fritz.box:8080",
        "nas.lan:8080",
        "cams.home.arpa",
        "video.streamlens.internal:8080",
        "nas.local",
        "video:8080",
        "video-service:8080",
        "video-sockets-service:8080",
        "video-service.cameras.svc",
        "video-service.cameras.svc.cluster.local.",
        "cams.example:443",
        "CAMS.example",
        "front.cameras.example",
    ],
)
def test_addresses_and_own_and_allowed_names_pass(known: Hosts, host: str) -> None:
    assert known.allow([host])


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil",
        "nas.evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "1.2.3",
        "0x7f000001",
        "video-service.com",
        "video-sockets-service.com",
        "video-service.evil.svc.example",
        "evil.svc.cluster.local",
        "evil.local",
        "evil.lan",
        "home.arpa.example",
        "evilinternal",
        "cameras.example",
        "evilcameras.example",
        "x.cams.example",
        "cams.example@evil.example",
        "cams.example:80@evil.example",
        "evil.example:cams.example",
        "cams.example, evil.example",
        "cams.example\t",
        "cams.example..",
        "[cams.example]",
        "[::1",
        "::1",
        "\xe9vil",
        "*.cameras.example",
    ],
)
def test_other_names_do_not(known: Hosts, host: str) -> None:
    assert not known.allow([host])


def test_two_hosts_are_one_too_many_and_old_clients_name_none(known: Hosts) -> None:
    assert known.allow([])
    assert not known.allow(["localhost", "localhost"])


def test_the_message_says_what_to_set() -> None:
    assert explain(["Cams.example:8080"]).endswith("set ALLOWEDHOSTS=cams.example")
    assert explain(["a", "b"]).endswith("set ALLOWEDHOSTS=NAME")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80"])
def test_everything_of_an_open_page_is_refused_under_another_name(
    host: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client(Gate(app, None, Hosts(())), host=host)

    answers = [client.get(url) for url in ("/", "/page/app.js", "/api/cameras", "/login", "/stream/door")]
    answers += [client.post("/logout"), client.socket("/ws", origin=f"http://{host}")]

    assert {answer.status for answer in answers} == {403}
    assert all("ALLOWEDHOSTS=evil.example" in answer.text for answer in answers)
    assert len(caplog.messages) == 1
    assert "ALLOWEDHOSTS=evil.example" in caplog.messages[0]


def test_with_users_any_name_will_do(sessions: Sessions) -> None:
    assert Client(Gate(app, sessions, Hosts(())), host="evil.example").get("/login").status == 200


def test_the_setting_lists_names() -> None:
    assert parse_hosts(" Cams.example., *.b.example ,") == ("cams.example", "*.b.example")
    assert parse_hosts(("a",)) == ("a",)
    for wrong in ("https://cams.example", "cams.example:80", "*", "a b", "*.*.example", "a..b"):
        with pytest.raises(ValueError, match="expected names such as"):
            parse_hosts(wrong)


@pytest.mark.exceeds("pipeline.access.hosts._LONGEST")
def test_a_long_host_is_cut_in_the_answer() -> None:
    assert explain(["x" * 101]) == explain(["x" * 100]) != explain(["x" * 99])


@pytest.mark.parametrize(
    ("host", "forwarded", "status"),
    [
        ("video:8080", "cams.example", 200),
        ("cams.example", "cams.example", 200),
        ("evil.example", "localhost", 403),  # passed on by a proxy from a page that was rebound to it
        ("video:8080", "evil.example", 403),
        ("evil.example", "evil.example, localhost", 403),
    ],
)
def test_behind_a_proxy_both_hosts_must_be_known(host: str, forwarded: str, status: int) -> None:
    server = ProxyHeaders(Gate(app, None, Hosts(("cams.example",))), "192.0.2.1")

    assert Client(server, host=host).get("/", x_forwarded_host=forwarded).status == status
