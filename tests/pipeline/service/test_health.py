import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from pipeline.flow.ledger import Ledger
from pipeline.service.health import _MOST_CLIENTS, HealthServer, _Handler
from pipeline.service.settings import SettingsError
from pipeline.service.values import Address
from tests.parts import wait_for


class Verdicts:
    """What the service says of itself."""

    def __init__(self) -> None:
        self.alive: str | None = None
        self.ready: str | None = None


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[HealthServer, Verdicts, Ledger]]:
    """One server for all tests: to stop one takes half a second."""
    verdicts, ledger = Verdicts(), Ledger()
    REGISTRY.register(ledger)
    server = HealthServer(
        Address("127.0.0.1", 0), alive=lambda: verdicts.alive, ready=lambda: verdicts.ready, ledger=ledger
    )
    server.start()
    yield server, verdicts, ledger
    server.stop()
    REGISTRY.unregister(ledger)


@pytest.fixture
def server(running: tuple[HealthServer, Verdicts, Ledger]) -> HealthServer:
    return running[0]


@pytest.fixture
def verdicts(running: tuple[HealthServer, Verdicts, Ledger]) -> Iterator[Verdicts]:
    yield running[1]
    running[1].alive = running[1].ready = None


@pytest.fixture
def ledger(running: tuple[HealthServer, Verdicts, Ledger]) -> Iterator[Ledger]:
    yield running[2]
    running[2]._accounts.clear()


def get(server: HealthServer, path: str) -> tuple[int, str, str]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    assert response.getheader("Content-Length") == str(len(body))
    return response.status, response.getheader("Content-Type", ""), body.decode()


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/healthz?verbose=1"])
def test_all_is_well(server: HealthServer, path: str) -> None:
    assert get(server, path) == (200, "text/plain; charset=utf-8", "ok\n")


def test_a_hanging_service_is_not_alive(server: HealthServer, verdicts: Verdicts) -> None:
    verdicts.alive = "worker read has not beaten for 21 s"

    assert get(server, "/healthz")[::2] == (503, "worker read has not beaten for 21 s\n")
    assert get(server, "/readyz")[0] == 200


def test_the_missing_part_is_reported(server: HealthServer, verdicts: Verdicts) -> None:
    verdicts.ready = "camera front\u2019s away"

    assert get(server, "/readyz")[::2] == (503, "camera front\u2019s away\n")
    assert get(server, "/healthz")[0] == 200


def test_the_ledger_is_reported_as_json(server: HealthServer, ledger: Ledger) -> None:
    ledger.came("front")
    ledger.dropped("front", "late")

    status, kind, body = get(server, "/ledger")

    assert (status, kind) == (200, "application/json")
    assert json.loads(body) == {"front": {"in": 1, "out": 0, "dropped": {"late": 1}, "pending": 0}}


def test_the_metrics_can_be_read(server: HealthServer, ledger: Ledger) -> None:
    ledger.came("front")

    status, kind, body = get(server, "/metrics")

    samples = [
        sample
        for family in text_string_to_metric_families(body)
        for sample in family.samples
        if sample.name == "streamlens_frames_in_total"
    ]
    assert status == 200
    assert kind.startswith("text/plain")
    assert [(sample.labels, sample.value) for sample in samples] == [({"camera": "front"}, 1)]


@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/healthz/", "/%2e%2e/ledger"])
def test_the_answer_to_other_paths_lists_those_that_exist(server: HealthServer, path: str) -> None:
    status, _, body = get(server, path)

    assert status == 404
    assert body == "try /healthz, /readyz, /metrics, /ledger, /ledger/runs\n"


def test_a_client_that_says_nothing_holds_up_no_other(server: HealthServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port)):
        assert get(server, "/healthz")[0] == 200


@pytest.mark.exceeds("pipeline.service.health._MOST_CLIENTS")
def test_the_oldest_client_makes_room_for_one_too_many(
    server: HealthServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Handler, "timeout", 60)
    free = server._server._free
    wait_for(lambda: free._value == _MOST_CLIENTS, 10, "other clients to go")
    with ExitStack() as silent:

        def connect(count: int) -> list[socket.socket]:
            place = "127.0.0.1", server.port
            return [silent.enter_context(socket.create_connection(place, 10)) for _ in range(count)]

        first, second, *_ = connect(_MOST_CLIENTS - 1)
        assert get(server, "/healthz")[0] == 200
        first.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert first.recv(100).startswith(b"HTTP/1.0 200")
        wait_for(lambda: free._value == 2, 10, "the answered clients to go")
        connect(2)
        assert caplog.messages == []

        assert get(server, "/healthz")[0] == 200

        assert second.recv(1) == b""
        (line,) = caplog.messages
        assert "HEALTHPORT" in line


def test_many_are_answered_at_a_time(server: HealthServer) -> None:
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(get(server, "/metrics")[0])) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [200] * 8


def test_probes_are_kept_out_of_the_log(server: HealthServer, capfd: pytest.CaptureFixture[str]) -> None:
    get(server, "/healthz")
    get(server, "/nothing")

    assert capfd.readouterr() == ("", "")


def test_the_port_is_free_again_after_the_end(ledger: Ledger) -> None:
    first = HealthServer(Address("127.0.0.1", 0), alive=lambda: None, ready=lambda: None, ledger=ledger)
    first.start()
    port = first.port
    first.stop()

    second = HealthServer(Address("127.0.0.1", port), alive=lambda: None, ready=lambda: None, ledger=ledger)
    second.start()

    assert get(second, "/healthz")[0] == 200
    second.stop()


def test_a_port_in_use_is_reported_as_a_wrong_setting(server: HealthServer, ledger: Ledger) -> None:
    address = Address("127.0.0.1", server.port)

    with pytest.raises(SettingsError) as caught:
        HealthServer(address, alive=lambda: None, ready=lambda: None, ledger=ledger)

    text = f"HEALTHPORT='127.0.0.1:{server.port}': cannot listen there: Address already in use"
    assert str(caught.value) == text


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "nobody.invalid"])
def test_a_foreign_address_is_reported_as_a_wrong_setting(host: str) -> None:
    address = Address(host, 0)

    with pytest.raises(SettingsError, match=re.escape(f"HEALTHPORT='{address}': cannot listen there: ")):
        HealthServer(address, alive=lambda: None, ready=lambda: None, ledger=Ledger())


def test_what_does_not_make_it_unready_stands_in_the_body() -> None:
    lines = [f"camera {number}: it is away" for number in range(60)] + ["x"]
    lines[0] = "camera 0: " + "x" * 1_000
    server = HealthServer(
        Address("127.0.0.1", 0),
        alive=lambda: None,
        ready=lambda: None,
        ledger=Ledger(),
        notes=lambda: lines,
    )
    server.start()
    status, _, body = get(server, "/readyz")
    server.stop()

    shown = body.splitlines()
    assert status == 200
    assert shown[0] == "ok"
    assert shown[2] == "camera 1: it is away"
    assert shown[-1] == "and 11 more"
    assert max(map(len, shown)) == 300
