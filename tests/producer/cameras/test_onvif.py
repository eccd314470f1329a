"""ONVIF cameras: found, asked for their streams, and added, whatever they answer."""

import re
import sys
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cameras.links import authority_of
from pipeline.cameras.record import CameraRecord, RecordError
from pipeline.service.values import Address
from pipeline.targets import Targets
from producer.cameras import fields
from producer.cameras.onvif import device, discovery, streams, xml
from producer.cameras.onvif.device import Login, ask
from producer.cameras.onvif.discovery import Found, matches, search
from producer.cameras.onvif.streams import Profile, address_of, best
from producer.cameras.onvif.xml import AnswerError, parsed
from tests.producer.cameras.conftest import Run
from tests.producer.cameras.onvif_camera import PROFILES, Discoverable, OnvifCamera

LOGIN = Login("admin", "secret pass")
BOMB = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(12))
    + b"]><x>&m;</x>"
)
OUTSIDE = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'

Stored = Callable[[], dict[str, CameraRecord | RecordError]]


def targets(*hosts: str) -> Targets:
    """Return what a camera of this machine may lead to."""
    return Targets(frozenset({"127.0.0.1", *hosts}), (), "REDIRECTHOSTS")


def asked(camera: OnvifCamera, *hosts: str) -> device.Device:
    """Return what a camera says to who knows the password."""
    return ask(Found(Address(camera.host, camera.port)), LOGIN, targets(*hosts))


def test_a_camera_says_what_it_is_and_where_its_streams_are() -> None:
    with OnvifCamera() as camera:
        found = asked(camera)

    assert (found.maker, found.model) == ("ACME", "X1")
    assert [(each.token, each.name, each.size, each.rate, each.codec) for each in found.profiles] == [
        ("main4k", "Main", "3840 x 2160", 25, "H264"),
        ("sub1", "Sub", "1280 x 720", 20, "H264"),
        ("tiny", "Tiny", "320 x 240", 5, "JPEG"),
    ]
    assert found.profiles[1].link == "rtsp://admin:secret%20pass@127.0.0.1:8554/sub1?x=1&y=2"
    assert found.profiles[1].snapshot == f"http://admin:secret%20pass@127.0.0.1:{camera.port}/sub1?x=1&y=2"
    assert "secret" not in repr(found)


@pytest.mark.parametrize("clock", [-86_400.0, 3_600.0])
def test_a_clock_that_is_off_does_not_matter(clock: float) -> None:
    with OnvifCamera(clock=clock) as camera:
        assert len(asked(camera).profiles) == 3


def test_a_camera_may_ask_for_the_password_in_http() -> None:
    with OnvifCamera(digest=True) as camera:
        assert len(asked(camera).profiles) == 3


def test_a_camera_that_does_not_say_its_time_is_asked_all_the_same() -> None:
    with OnvifCamera(answers={"GetSystemDateAndTime": b"<x/>"}) as camera:
        assert len(asked(camera).profiles) == 3


def test_services_on_another_host_are_asked_at_the_camera_itself() -> None:
    """As cameras behind a router say, and those that lie."""
    with OnvifCamera(xaddr="http://10.9.9.9:1/onvif/media") as camera:
        assert len(asked(camera).profiles) == 3


def test_streams_on_another_host_are_refused_unless_it_is_listed() -> None:
    with OnvifCamera(stream="10.9.9.9:554") as camera:
        refused, allowed = asked(camera), asked(camera, "10.9.9.9")

    assert {each.link for each in refused.profiles} == {""}
    assert "another host, 10.9.9.9" in refused.profiles[0].trouble
    assert allowed.profiles[0].link == "rtsp://10.9.9.9:554/main4k?x=1&y=2"  # without the password


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        ({"GetDeviceInformation": BOMB}, "document type|not XML"),
        ({"GetDeviceInformation": OUTSIDE}, "document type"),
        ({"GetDeviceInformation": b"<html>no"}, "not XML"),
        ({"GetDeviceInformation": b""}, "not XML"),
        ({"GetDeviceInformation": b"<x/>"}, "not what ONVIF requires"),
        ({"GetProfiles": b"<a>" * 50_000}, "not XML"),
        ({"GetStreamUri": b"<x/>"}, "not what ONVIF requires"),
    ],
)
def test_answers_of_no_use_are_said_in_one_line(answers: dict[str, bytes | None], text: str) -> None:
    with OnvifCamera(answers=answers) as camera, pytest.raises(AnswerError, match=text):
        asked(camera)


@pytest.mark.exceeds("producer.cameras.onvif.xml.LARGEST_ANSWER")
def test_answers_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (xml, sys.modules["producer.cameras.onvif.transport"]):
        monkeypatch.setattr(module, "LARGEST_ANSWER", 10_000)
    large = b"<x>" + b" " * 10_000 + b"</x>"
    with (
        OnvifCamera(answers={"GetProfiles": large}) as camera,
        pytest.raises(AnswerError, match="at most 10000 bytes"),
    ):
        asked(camera)
    with pytest.raises(AnswerError, match="at most 10000 bytes"):
        parsed(b" " * 10_001)


@pytest.mark.exceeds("producer.cameras.onvif.device.MOST_PROFILES")
def test_profiles_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "MOST_PROFILES", 2)
    with OnvifCamera() as camera:
        assert len(asked(camera).profiles) == 2


def test_a_camera_that_keeps_silent_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "_ANSWER", 0.2)
    silence = re.escape("no answer within 0.2 s")
    with (
        OnvifCamera(answers={"GetCapabilities": None}) as camera,
        pytest.raises(AnswerError, match=silence),
    ):
        asked(camera)


def test_who_has_a_wrong_password_or_port_learns_it(closed_port: int) -> None:
    with OnvifCamera() as camera:
        found = Found(Address(camera.host, camera.port))
        with pytest.raises(AnswerError, match="does not accept this user name and password"):
            ask(found, Login("admin", "wrong"), targets())
    with pytest.raises(AnswerError, match="nothing answers at this port"):
        ask(Found(Address("127.0.0.1", closed_port)), LOGIN, targets())


def test_a_camera_leads_neither_to_a_cloud_nor_to_kafka() -> None:
    with pytest.raises(AnswerError, match="metadata"):
        ask(Found(Address("169.254.169.254", 80)), LOGIN, targets("169.254.169.254"))
    with OnvifCamera() as camera:
        kafka = Address(camera.host, camera.port)
        without = Targets(frozenset({"127.0.0.1"}), (kafka,), "X")
        with pytest.raises(AnswerError, match="a service of Streamlens"):
            ask(Found(kafka), LOGIN, without)


@pytest.mark.parametrize(
    "uri",
    [
        "file:///etc/passwd",
        "rtsp://",
        "rtsp://127.0.0.1:x/",
        "rtsp://[::1/",
        "rtsp://127.0.0.1/\n",
        "rtsp://127.0.0.1@10.9.9.9/",
        "//127.0.0.1/",
        "udp://127.0.0.1:5000",
        "",
    ],
)
def test_wrong_addresses_are_refused(uri: str) -> None:
    if uri == "rtsp://127.0.0.1/\n":
        assert address_of(uri, "127.0.0.1", ("", ""), targets()) == "rtsp://127.0.0.1/"
        uri = "rtsp://127.0.0.1/\n\nx"
    with pytest.raises(AnswerError):
        address_of(uri, "127.0.0.1", ("a", "b"), targets())


@pytest.mark.exceeds("producer.cameras.onvif.streams.LONGEST_ADDRESS")
def test_addresses_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LONGEST_ADDRESS", 20)
    with pytest.raises(AnswerError):
        address_of("rtsp://127.0.0.1/abcdef", "127.0.0.1", ("", ""), targets())


def test_a_login_is_encoded_and_one_that_the_camera_writes_is_replaced() -> None:
    link = address_of("rtsp://x:y@127.0.0.1/a b", "127.0.0.1", ("a@b", "p/:#"), targets())

    assert link == "rtsp://a%40b:p%2F%3A%23@127.0.0.1/a%20b"


def test_the_best_profile_is_large_but_not_beyond_full_hd_and_cheap() -> None:
    def profile(name: str, width: int, height: int, codec: str = "H264", link: str = "x") -> Profile:
        return Profile(name, name, width, height, 25, codec, link)

    four_k, hd, small = profile("4k", 3840, 2160), profile("hd", 1920, 1080), profile("sd", 640, 480)
    expensive = profile("hevc", 1920, 1080, "H265")
    assert best([four_k, small, hd, expensive]) == hd
    assert best([four_k, expensive, small]) == small
    assert best([four_k, expensive]) == expensive
    assert best([profile("no", 1920, 1080, link=""), small]) == small
    assert best([]) is None


def test_a_camera_is_added_by_its_onvif_address(run: Run, stored: Stored) -> None:
    with OnvifCamera() as camera:
        added = run("add", "door", camera.link)
        asked_for = run(
            "add", "yard", f"onvif://admin@{camera.host}:{camera.port}/Tiny", stdin="secret pass\n"
        )
        changed = run("set", "yard", "--link", f"{camera.link}/main4k")
        missing = run("add", "hall", f"{camera.link}/none")
        wrong = run("add", "hall", camera.link.replace("secret", "geheim"))

    assert (added.status, asked_for.status, changed.status) == (0, 0, 0)
    assert "profile Sub: H264, 1280 x 720, 20 frames/s" in added.err
    assert "secret" not in added.err + added.out + asked_for.err + changed.out
    found = {name: each.link for name, each in stored().items() if isinstance(each, CameraRecord)}
    assert found == {
        "door": "rtsp://admin:secret%20pass@127.0.0.1:8554/sub1?x=1&y=2",
        "yard": "rtsp://admin:secret%20pass@127.0.0.1:8554/main4k?x=1&y=2",
    }
    assert "no usable profile 'none' among: Main, Sub, Tiny" in missing.err
    assert "does not accept" in wrong.err
    assert (missing.status, wrong.status) == (1, 1)
    assert "expected onvif://" in run("add", "hall", "onvif://").err


def test_a_file_names_cameras_by_their_onvif_addresses(run: Run, stored: Stored) -> None:
    with OnvifCamera() as camera:
        text = f"cameras:\n  door: {{link: '{camera.link}'}}\n  yard: {{link: '{camera.link}/Tiny'}}\n"
        applied = run("apply", "-f", "-", stdin=text)
        again = run("apply", "-f", "-", stdin=text)
        missing = run("apply", "-f", "-", stdin=text.replace("Tiny", "none").replace("secret", "geheim"))

    assert (applied.status, applied.out.splitlines()[-1]) == (0, "2 added, 0 changed, 0 removed, 0 unchanged")
    assert again.out == "0 added, 0 changed, 0 removed, 2 unchanged\n"
    assert (missing.status, missing.out) == (1, "")
    for line in ("line 2, camera door: onvif camera", "line 3, camera yard: onvif camera"):
        assert f"cameras: -, {line} {camera.host}:{camera.port}: " in missing.err
    assert "geheim" not in missing.err
    assert [each.link for each in stored().values() if isinstance(each, CameraRecord)] == [
        "rtsp://admin:secret%20pass@127.0.0.1:8554/sub1?x=1&y=2",
        "rtsp://admin:secret%20pass@127.0.0.1:8554/tiny?x=1&y=2",
    ]


def test_a_camera_is_checked_by_its_onvif_address(run: Run) -> None:
    with OnvifCamera() as camera:
        ran = run("check", camera.link)

    assert "profile Sub: H264" in ran.err
    assert "127.0.0.1:8554" in ran.err.splitlines()[-2] + ran.err.splitlines()[-1]
    assert "secret" not in ran.err


def test_cameras_are_discovered_and_their_streams_listed(run: Run) -> None:
    place = "127.4.7.11"  # others may listen at the port of 127.0.0.1
    with OnvifCamera(host=place) as camera:
        xaddrs = f"http://10.9.9.9/onvif/x http://{place}:{camera.port}/onvif/device_service"
        with Discoverable(place, xaddrs, first=BOMB):
            plain = run("discover", "--network", place, "--seconds", "0.5")
            full = run(
                "discover", "--network", place, "--seconds", "0.5", "--user", "admin", stdin="secret pass\n"
            )
            wrong = run("discover", "--network", place, "--seconds", "0.5", "--user", "admin", stdin="x\n")

    assert plain.status == full.status == 0
    assert plain.out.split() == ["ADDRESS", "NAME", "MODEL", f"{place}:{camera.port}", "Front", "door", "X1"]
    for token, name, width, height, *_ in PROFILES:
        assert f"add 'Front door' onvif://admin@{place}:{camera.port}/{token}" in full.out
        assert re.search(rf"{name} +{width} x {height} .*rtsp://admin:\*\*\*@{place}:8554/{token}", full.out)
    assert "secret" not in full.out + full.err
    assert wrong.status == 1
    assert "does not accept this user name and password" in wrong.out


def test_who_answers_is_asked_whatever_the_answer_says() -> None:
    with Discoverable("127.4.7.12", "http://10.9.9.9:8080/onvif/x"):
        (found,) = search("127.4.7.12/32", 0.5)

    assert found.url == "http://127.4.7.12:8080/onvif/x"


def test_no_camera_and_wrong_networks_are_said(run: Run) -> None:
    nobody = run("discover", "--network", "127.4.7.13", "--seconds", "0.2")

    assert nobody.status == 1
    assert "no ONVIF camera answers at --network '127.4.7.13'" in nobody.err
    for network in ("1.2.3.4/99", "no such host", "10.0.0.0/8", "1.2.3", "999.1.1.1", "", "host:80"):
        ran = run("discover", "--network", network)
        assert (ran.status, ran.out) == (1, "")
        assert f"--network {network!r}: expected" in ran.err
    unknown = run("discover", "--network", "no-such-camera.invalid", "--seconds", "0.2")
    assert "--network 'no-such-camera.invalid': the host name is unknown" in unknown.err
    assert "--seconds" in run("discover", "--seconds", "0").err


@pytest.mark.exceeds("producer.cameras.onvif.discovery.MOST_ADDRESSES")
def test_networks_are_limited(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.setattr(discovery, "MOST_ADDRESSES", 4)

    assert "at most 4 addresses" in run("discover", "--network", "127.4.7.0/24", "--seconds", "0.1").err


@pytest.mark.exceeds("producer.cameras.onvif.discovery.MOST_DEVICES")
def test_the_search_ends_when_it_has_found_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "MOST_DEVICES", 1)
    with Discoverable("127.4.7.14", "http://127.4.7.14/"), Discoverable("127.4.7.15", "http://127.4.7.15/"):
        assert len(search("127.4.7.14/31", 30)) == 1


@pytest.mark.exceeds("producer.cameras.onvif.discovery.LONGEST_SCOPE")
def test_names_are_short_and_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "LONGEST_SCOPE", 8)
    answer = (
        b"<a><RelatesTo>7</RelatesTo><ProbeMatch><Scopes>onvif://www.onvif.org/name/a%0Ab%E2%80%AEcdefghijkl"
        b"</Scopes><XAddrs>nonsense http://[ http://h:99999/ ftp://h/</XAddrs></ProbeMatch></a>"
    )

    (found,) = matches(answer, "10.0.0.1", "7")

    assert found == Found(Address("10.0.0.1", 80), name="a b cdef")
    assert list(matches(answer, "10.0.0.1", "8")) == []


def test_without_its_packages_the_command_says_what_to_install(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("producer.cameras.onvif.find_spec", lambda _: None)

    for ran in (run("discover"), run("add", "door", "onvif://host")):
        assert ran.status == 1
        assert "pip install --require-hashes -r producer/cameras/onvif/requirements.txt" in ran.err


@given(st.binary() | st.text().map(str.encode))
def test_any_answer_is_read_or_refused(data: bytes) -> None:
    with suppress(AnswerError):
        assert list(matches(data, "10.0.0.1", "7")) == []


@given(st.text(max_size=60) | st.text(max_size=40).map("rtsp://127.0.0.1".__add__))
def test_a_stream_never_leads_to_another_host(uri: str) -> None:
    try:
        link = address_of(uri, "127.0.0.1", ("joe", "p@ss"), targets())
    except AnswerError:
        return
    parts = authority_of(link.partition("://")[2])
    assert parts is not None
    assert (parts["user"], parts["host"]) == ("joe:p%40ss@", "127.0.0.1")
    assert fields.check_link(link) == link


def test_a_camera_may_be_asked_without_a_login(run: Run) -> None:
    with OnvifCamera() as camera:
        ran = run("add", "door", f"onvif://{camera.host}:{camera.port}")

    assert ran.status == 1
    assert "does not accept this user name and password" in ran.err
    assert camera.asked == ["GetSystemDateAndTime", "GetDeviceInformation"]
