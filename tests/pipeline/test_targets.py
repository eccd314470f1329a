"""What a service may connect to when somebody else names it."""

import socket
from typing import Any

import pytest

from pipeline import targets as module
from pipeline.service.values import Address
from pipeline.targets import TargetError, Targets
from tests.clock import Clock
from tests.networks import MANY_ADDRESSES
from tests.parts import free_port
from tests.pipeline.addresses import FORMS, embedded


def targets(*hosts: str, services: tuple[Address, ...] = ()) -> Targets:
    return Targets(frozenset(hosts), services, "VIDEOLINK")


def answers(monkeypatch: pytest.MonkeyPatch, *lookups: list[str]) -> list[str]:
    """Let each look-up of a name find the next of these lists of addresses; return the names."""
    names, rest = [], list(lookups)
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        if not any(letter.isalpha() for letter in str(host)):
            return real(host, port, *arguments, **options)
        names.append(host)
        found = rest.pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return names


@pytest.mark.parametrize("address", ["192.168.1.20", "10.0.0.1", "fd00::1", "203.0.113.5", "2001:db8::1"])
def test_cameras_may_have_private_and_public_addresses(address: str) -> None:
    assert targets().refusal(address, 554) is None
    assert targets().addresses(address, 554) == [address]


def test_a_link_local_address_keeps_its_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    place = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fe80::1", 80, 0, 3))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [place])

    assert targets("fe80::1%eth0").addresses("fe80::1%eth0", 80) == ["fe80::1%3"]


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192"]
)
@pytest.mark.parametrize("form", FORMS)
def test_metadata_is_never_allowed_in_any_form(address: str, form: str) -> None:
    text = embedded(form, address)

    assert "metadata" in (targets(text, address).refusal(text, 80) or "")


@pytest.mark.parametrize("address", ["fd00:ec2::254", "fd20:ce::254", "fe80::a9fe:a9fe%eth0"])
def test_metadata_over_ipv6_is_never_allowed(address: str) -> None:
    assert "metadata" in (targets(address).refusal(address, 80) or "")


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", "this machine"),
        ("127.9.9.9", "this machine"),
        ("0.0.0.0", "this machine"),
        ("::", "this machine"),
        ("::1", "this machine"),
        ("::ffff:127.0.0.1", "this machine"),
        ("64:ff9b::7f00:1", "this machine"),
        ("169.254.3.4", "link-local"),
        ("::ffff:169.254.3.4", "link-local"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("255.255.255.255", "reserved"),
        ("0.1.2.3", "reserved"),
        ("240.0.0.1", "reserved"),
    ],
)
def test_special_addresses_are_allowed_only_if_the_operator_has_written_them(address: str, kind: str) -> None:
    refusal = targets("camera.example").refusal(address, 80) or ""

    assert kind in refusal
    assert "write this address in VIDEOLINK" in refusal
    assert targets(address).refusal(address, 80) is None


@pytest.mark.parametrize("name", ["localhost", "a.localhost"])
def test_the_name_localhost_names_this_machine(name: str) -> None:
    assert targets(name).refusal("127.0.0.1", 80) is None
    assert targets(name).refusal("::1", 80) is None
    assert targets(name).refusal("169.254.3.4", 80)


def test_a_name_is_not_refused_until_it_is_looked_up() -> None:
    assert targets().refusal("camera.example", 80) is None


def test_addresses_that_the_cluster_injects_are_its_services(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFANA_SERVICE_HOST", "10.96.0.7")
    answers(monkeypatch, ["10.96.0.7"], ["10.96.0.7"])

    assert "a service of the cluster" in (targets("a.example").refusal("10.96.0.7", 80) or "")
    assert targets("10.96.0.7").refusal("10.96.0.7", 80) is None
    assert targets().refusal("10.96.0.8", 443) is None
    with pytest.raises(TargetError, match="a service of the cluster"):
        targets("a.example").addresses("other.example", 80)
    assert targets("grafana.example").addresses("Grafana.example.", 80) == ["10.96.0.7"]


def test_the_clusters_api_is_not_allowed_by_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    answers(monkeypatch, ["10.96.0.1"])

    with pytest.raises(TargetError, match="the cluster's API"):
        targets("camera.example").addresses("camera.example", 443)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "127.0.0.1"])
@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::ffff:127.0.0.1"])
def test_our_own_services_are_never_allowed(host: str, address: str) -> None:
    here = targets(address, services=(Address(host, 9000),))

    assert "service of Streamlens itself" in (here.refusal(address, 9000) or "")
    assert here.refusal(address, 9001) is None


def test_a_service_on_every_address_is_known_by_this_machines_other_addresses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipeline.targets._is_own", lambda address: str(address) == "10.1.2.3")
    here = targets(services=(Address("", 9000),))

    assert "service of Streamlens itself" in (here.refusal("10.1.2.3", 9000) or "")
    assert here.refusal("10.1.2.4", 9000) is None


def test_a_service_may_have_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, ["10.0.0.5"], ["10.0.0.5"])
    here = targets(services=(Address("kafka", 9092),))

    assert "service of Streamlens itself" in (here.refusal("10.0.0.5", 9092) or "")
    assert here.refusal("10.0.0.6", 9092) is None


def test_a_name_that_stands_for_an_address_that_is_not_allowed_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers(monkeypatch, ["127.0.0.1"])

    with pytest.raises(TargetError, match="this machine"):
        targets("camera.example").connect("camera.example", 80, 1)


def test_a_name_is_looked_up_once_and_that_address_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        names = answers(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])
        connection = targets("a.localhost").connect("a.localhost", server.getsockname()[1], 5)
        with connection:
            assert connection.getpeername()[0] == "127.0.0.1"

    assert names == ["a.localhost"]


def test_addresses_that_are_not_allowed_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, ["169.254.169.254", "192.168.1.20", "192.168.1.20"])

    assert targets().addresses("camera.example", 80) == ["192.168.1.20"]


@MANY_ADDRESSES
def test_the_next_address_is_tried_and_the_first_failure_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        answers(monkeypatch, ["127.0.0.2", "127.0.0.1"], ["127.0.0.2", "127.0.0.1"])
        here = targets("a.localhost")

        with here.connect("a.localhost", server.getsockname()[1], 5) as connection:
            assert connection.getpeername()[0] == "127.0.0.1"

    with pytest.raises(ConnectionRefusedError):
        here.connect("a.localhost", free_port(), 5)


def test_addresses_that_do_not_answer_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(0.0)
    shares: list[float] = []
    end, other = socket.socketpair()

    def connect(place: tuple[str, int], timeout: float) -> socket.socket:
        shares.append(timeout)
        if place[0] == "10.0.0.3":
            return end
        clock.sleep(timeout)
        raise TimeoutError

    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(socket, "create_connection", connect)
    answers(monkeypatch, ["10.0.0.1", "10.0.0.2", "10.0.0.3"], ["10.0.0.1", "10.0.0.2"])
    here = targets("camera.example")

    with other, here.connect("camera.example", 80, 6) as connection:
        assert shares == [2, 2, 2]
        assert connection.gettimeout() == 6
    with pytest.raises(TimeoutError):
        here.connect("camera.example", 80, 6)
    assert clock.now == 4 + 6


@pytest.mark.parametrize("text", ["127.1", "2130706433", "0x7f.1", "0177.0.0.1"])
def test_other_ways_to_write_this_machine_do_not_name_it(text: str) -> None:
    with pytest.raises(TargetError, match="this machine"):
        targets(text).addresses(text, 80)
