"""A link's kind of camera, for the producer and compose alike."""

import ctypes
from importlib import import_module
from pathlib import Path

import av
import pytest

from pipeline.cameras.links import SCHEMES, Kind, LinkError, host_name, kind_of, path_of
from producer import sources
from producer.sources import open_source
from producer.sources.source import Limits
from tests.producer.http_camera import HttpCamera
from tests.producer.sources.reading import jpegs, read

LIBRARIES = list(Path(av.__file__).parent.parent.glob("av.libs/libavformat*"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("NVR.local", "nvr.local"),
        ("192.168.1.9", "192.168.1.9"),
        ("[FD00:0::1]", "fd00::1"),
        ("fd00:0:0:0:0:0:0:1", "fd00::1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("a:b", "a:b"),
    ],
)
def test_hosts_are_compared_however_they_are_written(text: str, name: str) -> None:
    assert host_name(text) == name


@pytest.mark.parametrize(
    ("link", "kind"),
    [
        ("rtsp://camera/stream1", Kind.NETWORK),
        ("rtsps://camera/stream1", Kind.NETWORK),
        ("http://camera/clip.mp4", Kind.HTTP),
        ("HTTPS://camera/" + "x" * 5000, Kind.HTTP),
        ("rtmp://camera/live", Kind.NETWORK),
        ("udp://@239.0.0.1:1234", Kind.NETWORK),
        ("RTSP://camera/stream1", Kind.NETWORK),
        ("rtsp+udp://camera/stream1", Kind.NETWORK),
        ("rtsp://joe:p@ss@camera:554/x?y=a@b", Kind.NETWORK),
        ("http://camera:80/x?user=joe@home", Kind.HTTP),
        ("http://[::1]/x@y", Kind.HTTP),
        ("rtsp://camera/x?from=file:///y", Kind.NETWORK),
        ("/videos/clip.mp4", Kind.FILE),
        ("clip.mp4", Kind.FILE),
        ("./0.avi", Kind.FILE),
        ("./0", Kind.FILE),
        ("0.avi", Kind.FILE),
        ("dev/video0", Kind.FILE),
        ("file:///videos/clip.mp4", Kind.FILE),
        ("FILE:///videos/clip.mp4", Kind.FILE),
        ("FILE:/videos/my%20clip.mp4", Kind.FILE),
        ("/videos/my clip.mp4", Kind.FILE),
        ("HTTP://camera/my stream", Kind.HTTP),
        ("rtsp://184.72.239.149/vod/mp4:BigBuckBunny_175k.mov", Kind.NETWORK),
        ("x" * 5000, Kind.FILE),
        ("rtsp/clip.mp4", Kind.FILE),
        ("C:/clip.mp4", Kind.FILE),
        ("rtsp://[fe80::1%25eth0]:554/x", Kind.NETWORK),
        ("rtsp://joe:p@ss[1]@camera:554/x", Kind.NETWORK),
        ("rtsp://camera:/x", Kind.NETWORK),
        ("udp://:1234", Kind.NETWORK),
        ("tcp://:1234?listen", Kind.NETWORK),
        ("unix:///tmp/camera", Kind.NETWORK),
        ("0", Kind.DEVICE),
        ("12", Kind.DEVICE),
        ("/dev/null", Kind.DEVICE),
        ("/dev/video99", Kind.DEVICE),  # not plugged in yet
    ],
)
def test_a_link_names_one_kind(link: str, kind: Kind) -> None:
    assert kind_of(link) is kind


def test_a_regular_file_below_dev_is_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.cameras.links.os.path.isfile", {"/dev/shm/clip.avi": True}.get)

    assert kind_of("/dev/shm/clip.avi") is Kind.FILE


@pytest.mark.parametrize(
    "link",
    ["ftps://joe:hunter2@camera/x", "://hunter2", "joe:hunter2://x", "a/b://c", "async:http://hunter2/"],
)
def test_a_link_with_an_unknown_scheme_is_refused(link: str) -> None:
    with pytest.raises(LinkError) as caught:
        kind_of(link)

    assert "hunter2" not in str(caught.value)
    assert all(scheme in str(caught.value) for scheme in SCHEMES)


@pytest.mark.parametrize(
    ("link", "found"),
    [
        ("rtsp://", "no host"),
        ("http://", "no host"),
        ("http:///x", "no host"),
        ("http://?x=1", "no host"),
        ("http://[]/x", "no host"),
        ("rtsp://:554/x", "no host"),
        ("rtsp://joe:hunter2@/x", "no host"),
        ("rtsp://joe:hunter2@:554/x", "no host"),
        ("rtmp:///live", "no host"),
        ("rtsp:/joe:hunter2@camera/x", "no ://"),
        ("rtsp:camera", "no ://"),
        ("RTSP//camera/x", "no ://"),
        ("http:", "no ://"),
        ("http://joe:hunter2@camera:port/x", "a port from 1 to 65535"),
        ("http://camera:99999/x", "a port from 1 to 65535"),
        ("http://camera:0/x", "a port from 1 to 65535"),
        ("rtsp://[::1/x", "in brackets"),
        ("rtsp://fd00::1/x", "in brackets"),
        ("http://http://camera/x", "two schemes"),
    ],
)
def test_a_half_written_link_is_refused(link: str, found: str) -> None:
    with pytest.raises(LinkError, match=found) as caught:
        kind_of(link)

    assert f"expected {link[:4].lower()}://HOST:PORT/PATH" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_file_may_be_named_like_a_half_written_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rtsp:clip.mp4").touch()
    monkeypatch.chdir(tmp_path)

    assert kind_of("rtsp:clip.mp4") is Kind.FILE


@pytest.mark.parametrize(
    ("link", "path"),
    [
        ("clip.mp4", "clip.mp4"),
        ("/a/b c%20d.mp4", "/a/b c%20d.mp4"),
        ("file:///a/b c.mp4", "/a/b c.mp4"),
        ("file:///a/b%20c.mp4", "/a/b c.mp4"),
        ("FILE:///%C3%BC/100%25.mp4", "/ü/100%.mp4"),
        ("file:///100%.mp4", "/100%.mp4"),
        ("file:///%FF.mp4", "/\udcff.mp4"),  # as Python names a file that is not in UTF-8
        ("File://a.mp4", "a.mp4"),
        ("file:/a%20b.mp4", "/a b.mp4"),
        ("file://localhost/a.mp4", "/a.mp4"),
        ("file:a.mp4", "file:a.mp4"),
    ],
)
def test_a_file_link_gives_its_path(link: str, path: str) -> None:
    assert path_of(link) == path


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_is_a_module(kind: Kind) -> None:
    assert callable(import_module(f"{sources.__name__}.{kind}").open_source)


@pytest.mark.parametrize("password", ["a#b", "a/b", "a?b", "#", "12#b"])
def test_a_password_with_a_character_that_ends_it_is_refused(password: str) -> None:
    with pytest.raises(LinkError, match="%23, %2F or %3F") as caught:
        kind_of(f"rtsp://hunter2:{password}@camera/x")

    assert "hunter2" not in str(caught.value)


def test_a_film_has_a_pace_and_a_camera_has_none(clip: Path) -> None:
    with HttpCamera(jpegs()) as camera:
        for link, interval in ((str(clip), 0.04), (camera.link, 0)):
            source = open_source(link, Limits(5, 5))

            assert [read(source).width for _ in range(3)] == [64] * 3
            assert source.interval == pytest.approx(interval)
            source.close()


@pytest.mark.skipif(not LIBRARIES, reason="PyAV does not come from a wheel for Linux")
def test_pyavs_ffmpeg_supports_each_scheme() -> None:
    demuxers = {"rtsp", "rtsps", "rtsp+udp", "rtsp+tcp", "satip"}  # formats that bring their own protocol

    assert {scheme for scheme, kind in SCHEMES.items() if kind is Kind.NETWORK} <= protocols() | demuxers


def protocols() -> set[str]:
    """Return the protocols that the FFmpeg in PyAV's wheel can read."""
    library = ctypes.CDLL(str(LIBRARIES[0]))
    library.avio_enum_protocols.restype = ctypes.c_char_p
    place, found = ctypes.c_void_p(), set[str]()
    while name := library.avio_enum_protocols(ctypes.byref(place), ctypes.c_int(0)):
        found.add(name.decode())
    return found
