"""The video server's settings, and one clear line for each that will not do."""

from collections.abc import Callable

import pytest

from pipeline.service.values import Address
from video.settings import VideoSettings

Complaint = Callable[..., str]
Configure = Callable[..., VideoSettings]


def test_kafkas_address_is_enough(configure: Configure) -> None:
    settings = configure()

    assert settings.topicname == "videodisplay"
    assert (settings.displayport, settings.browser_port) == (Address("", 8080), 8080)
    assert (settings.frameinterval, settings.nosignalafter, settings.staleafter) == (0.042, 2.5, 5)


def test_kafkas_address_is_asked_for(complaint: Complaint) -> None:
    assert complaint(KAFKAPORT="").startswith("KAFKAPORT is not set (")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KAFKAPORT", "kafka"),
        ("DISPLAYPORT", "8080"),
        ("DISPLAYPORT", ":65536"),
        ("NODEPORT", "x:y"),
        ("FRAMEINTERVAL", "42"),
        ("TOPICNAME", ".."),
        ("FRAMEINTERVAL", "-1s"),
        ("FRAMEINTERVAL", "2h"),
        ("NOSIGNALAFTER", "199ms"),
        ("STALEAFTER", "never"),
        ("MAXCAMERAS", "0"),
    ],
)
def test_what_will_not_do_gets_one_line_with_its_value(complaint: Complaint, name: str, value: str) -> None:
    line = complaint(**{name: value})

    assert len(line.splitlines()) == 1
    assert line.startswith(f"{name}={value!r}: ")
    assert "expected" in line


def test_the_sites_that_may_show_pictures_are_origins(configure: Callable[..., VideoSettings]) -> None:
    settings = configure(EMBEDORIGINS=" https://A.example:443, http://b:8123/ ,")

    assert settings.embedorigins == ("https://a.example", "http://b:8123")
    assert configure().embedorigins == ()


@pytest.mark.parametrize(
    "text",
    [
        *("dashboard", "*", "https://a.example/path", "ftp://a", "https://*.example", "https://*"),
        *(
            "https://a.example?x",
            "https://me@a.example",
            "https://münchen.example",
            "http://a b",
            "http://[x]",
        ),
    ],
)
def test_what_is_no_origin_is_rejected(complaint: Callable[..., str], text: str) -> None:
    line = complaint(EMBEDORIGINS=text)

    assert line.startswith("EMBEDORIGINS=")
    assert "expected origins such as https://" in line


@pytest.mark.parametrize(
    ("page", "health"), [(":8080", ":8080"), ("127.0.0.1:80", ":80"), ("0.0.0.0:80", "[::1]:80")]
)
def test_ports_that_are_the_same_get_one_line_with_both(complaint: Complaint, page: str, health: str) -> None:
    line = complaint(DISPLAYPORT=page, HEALTHPORT=health)

    assert line == f"expected two different ports, found DISPLAYPORT='{page}' and HEALTHPORT='{health}'"


def test_one_port_of_two_addresses_is_accepted(configure: Configure) -> None:
    assert configure(DISPLAYPORT="127.0.0.1:80", HEALTHPORT="127.0.0.2:80").displayport.port == 80
    assert configure(DISPLAYPORT=":0", HEALTHPORT=":0").displayport.port == 0


@pytest.mark.parametrize("text", ["proxy", "*", "10.0.0.0/33", "10.0.0.0/8,", "10.0.0.1:80", "[::1]"])
def test_what_is_not_a_network_is_rejected(complaint: Complaint, text: str) -> None:
    line = complaint(TRUSTEDPROXIES=text)

    assert line.startswith(
        f"TRUSTEDPROXIES={text!r}: expected addresses or networks such as 10.0.0.0/8, found "
    )


@pytest.mark.parametrize(("text", "network"), [("10.0.0.1/8", "10.0.0.0/8"), ("::1, fd00::1/8", "fd00::/8")])
def test_an_address_with_the_size_of_its_network_is_rejected_and_the_network_named(
    complaint: Complaint, text: str, network: str
) -> None:
    assert f"expected the network {network} or a single address, found" in complaint(TRUSTEDPROXIES=text)
