"""Cameras with an IPv6 address."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.compatibility import over_http
from tests.compatibility.cameras import gstreamer, link, rtsp_server, sent_over_tcp, sent_over_udp, web_camera
from tests.compatibility.on_network import H264, SOURCE, WHITE, clip
from tests.compatibility.pictures import JPEGS
from tests.compatibility.situation import LEVELS, Refused, Shown, Situation, Start
from tests.producer.sources.http import web

_LOOPBACK: Final = "::1"
_MOTION: Final = over_http.motion(over_http.parts(JPEGS))
_UNCHANGED: Final = Shown("shown, the JPEGs unchanged")


def _to_itself(request: web.Request) -> None:
    """Redirect to the same camera, with its address written out."""
    web.moved(f"http://[0:0:0:0:0:0:0:1]:{request.server.server_address[1]}/video")(request)


@contextmanager
def _to_ipv6(folder: Path) -> Iterator[str]:
    """Redirect from a camera with an IPv4 address to another."""
    with (
        web_camera(_MOTION, address=_LOOPBACK)(folder) as other,
        web_camera(web.moved(other))(folder) as address,
    ):
        yield address


def _at(what: str, start: Start, then: Shown | Refused, part: str = "ipv6", **settings: str) -> Situation:
    return Situation(what, start, then, settings, part)


CAMERAS: Final = [
    _at("Motion JPEG", web_camera(_MOTION, address=_LOOPBACK), _UNCHANGED),
    _at(
        "Motion JPEG with digest authentication",
        web_camera(web.digest("joe", "secret", _MOTION), user="joe:secret@", address=_LOOPBACK),
        _UNCHANGED,
    ),
    _at(
        "a JPEG per request",
        web_camera(web.body(JPEGS[0], "image/jpeg"), address=_LOOPBACK),
        Shown("shown, one per second", levels=LEVELS[:1], count=2),
    ),
    _at(
        "a redirection to the same camera, its address written out",
        web_camera({"/": _to_itself, "/video": _MOTION}, address=_LOOPBACK),
        _UNCHANGED,
    ),
    _at(
        "a redirection from another host, with `REDIRECTHOSTS=::1`",
        _to_ipv6,
        _UNCHANGED,
        redirecthosts=_LOOPBACK,
    ),
    _at(
        "RTSP, H.264 over TCP",
        gstreamer(f"( {SOURCE} ! {H264} )", address=_LOOPBACK),
        Shown(levels=WHITE),
        "ipv6 rtsp",
    ),
    _at(
        "RTSP, H.264 over UDP",
        gstreamer(f"( {SOURCE} ! {H264} )", "rtsp+udp", address=_LOOPBACK),
        Shown(levels=WHITE),
        "ipv6 rtsp",
    ),
    _at("MPEG-TS over TCP", sent_over_tcp(clip, _LOOPBACK), Shown()),
    _at("MPEG-TS over UDP", sent_over_udp(clip, _LOOPBACK), Shown()),
    _at(
        "RTSP, a wrong path",
        rtsp_server(_LOOPBACK, DESCRIBE=(404, "", b"")),
        Refused("the camera has nothing at this path"),
    ),
    _at(
        "RTSP, a closed port",
        link("rtsp://[::1]:{port}/x"),
        Refused("nothing answers at this port of its host"),
    ),
    _at(
        "HTTP, a closed port",
        link("http://[::1]:{port}/x"),
        Refused("nothing answers at this port of its host"),
    ),
    Situation(
        "without brackets",
        link("rtsp://fd00::1/x"),
        Refused(
            "expected rtsp://HOST:PORT/PATH, with an IPv6 address in brackets: rtsp://[fd00::1]:PORT/PATH"
        ),
    ),
    Situation(
        "with one bracket",
        link("http://[fd00::1/x"),
        Refused(
            "expected http://HOST:PORT/PATH, with an IPv6 address in brackets: http://[fd00::1]:PORT/PATH"
        ),
    ),
]
