"""Cameras on the network, other than over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pipeline.cameras.links import SCHEMES
from tests.compatibility.cameras import gstreamer, link, rtsp_server, sent_over_tcp, sent_over_udp, silent
from tests.compatibility.pictures import IMAGES
from tests.compatibility.situation import Refused, Shown, Situation
from tests.producer.sources import rtsp, videos

SOURCE: Final = (
    "videotestsrc pattern=white is-live=true ! video/x-raw,width=64,height=48,framerate=25/1 ! videoconvert"
)
_LARGE: Final = SOURCE.replace("width=64,height=48,framerate=25/1", "width=3840,height=2160,framerate=5/1")
H264: Final = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 ! rtph264pay name=pay0 pt=96"
# As cameras send it; by default, GStreamer would choose all colours and 12 bits.
_H265: Final = (
    "video/x-raw,format=I420 ! x265enc tune=zerolatency speed-preset=ultrafast key-int-max=25"
    " ! rtph265pay name=pay0 pt=96"
)
_MJPEG: Final = "video/x-raw,format=I420 ! jpegenc ! rtpjpegpay name=pay0 pt=26"
WHITE: Final = (255,)


def clip(path: Path) -> None:
    videos.write(path, IMAGES * 25, keyframe_every=4)


def _real(
    what: str, source: str, encoder: str, then: Shown, scheme: str = "rtsp", **settings: str
) -> Situation:
    return Situation(f"RTSP, {what}", gstreamer(f"( {source} ! {encoder} )", scheme), then, settings, "rtsp")


@contextmanager
def _says_nothing(folder: Path) -> Iterator[str]:
    with silent(folder) as host:
        yield f"rtsp://{host}/stream1"


_SHOWN: Final = Shown(levels=WHITE)
_4K: Final = Shown(levels=WHITE, size=(3840, 2160), count=2)

CAMERAS: Final = [
    _real("H.264 over TCP", SOURCE, H264, _SHOWN),
    _real("H.264 over UDP (`rtsp+udp://`)", SOURCE, H264, _SHOWN, "rtsp+udp"),
    _real("an upper-case scheme", SOURCE, H264, _SHOWN, "RTSP"),
    _real("H.265", SOURCE, _H265, _SHOWN),
    _real("Motion JPEG", SOURCE, _MJPEG, Shown("shown, not decoded", levels=(235,))),
    _real("H.264 in 4K", _LARGE, H264, _4K),
    _real("H.265 in 4K", _LARGE, _H265, _4K),
    _real(
        "H.264, with `FRAMEINTERVAL=2s`",
        SOURCE,
        H264,
        Shown("shown; only keyframes are decoded", levels=WHITE, count=3),
        frameinterval="2s",
    ),
    Situation("MPEG-TS over TCP", sent_over_tcp(clip), Shown()),
    Situation("MPEG-TS over UDP", sent_over_udp(clip), Shown()),
]

TROUBLE: Final = [
    Situation(
        "RTSP, a wrong password",
        rtsp_server(DESCRIBE=(401, 'WWW-Authenticate: Basic realm="x"\r\n', b"")),
        Refused(
            "the camera does not accept this user name and password"
            " (in a URL, write %23 for #, %40 for @, %2F for /)"
        ),
    ),
    Situation(
        "RTSP, a wrong path",
        rtsp_server(DESCRIBE=(404, "", b"")),
        Refused("the camera has nothing at this path"),
    ),
    Situation(
        "RTSP, no permission for a path",
        rtsp_server(DESCRIBE=(403, "", b"")),
        Refused("the camera's user has no permission for this path"),
    ),
    Situation(
        "RTSP, a camera with too many connections",
        rtsp_server(SETUP=(453, "", b"")),
        Refused("the camera refuses the request (4xx): it may have too many connections"),
    ),
    Situation(
        "RTSP, a camera that only sends over UDP",
        rtsp_server(SETUP=(461, "", b"")),
        Refused(
            "the camera does not send its video this way:"
            " try rtsp+udp:// instead of rtsp:// or the other way round"
        ),
    ),
    Situation(
        "RTSP, sound only",
        rtsp_server(DESCRIBE=rtsp.described(rtsp.SOUND)),
        Refused("it has sound, but no video"),
        {"opentimeout": "3s"},
    ),
    Situation(
        "RTSP, an error of the camera",
        rtsp_server(DESCRIBE=(503, "", b"")),
        Refused("the camera reports an error of its own (5xx): restart it if that persists"),
    ),
    Situation(
        "RTSP, a redirection",
        rtsp_server(DESCRIBE=(302, "Location: rtsp://192.0.2.1/x\r\n", b"")),
        Refused(
            "it is not a video, or leads to another address or file: let the link lead to the video itself"
        ),
    ),
    Situation(
        "RTSP, the address of a cloud's metadata",
        link("rtsp://169.254.169.254/x"),
        Refused("it leads to 169.254.169.254, where a cloud keeps its metadata"),
    ),
    Situation(
        "RTSP, a closed port",
        link("rtsp://127.0.0.1:{port}/x"),
        Refused("nothing answers at this port of its host"),
    ),
    Situation("RTSP, an unknown host", link("rtsp://camera.invalid/x"), Refused("its host name is unknown")),
    Situation(
        "RTSP, a camera that says nothing",
        _says_nothing,
        Refused("no answer within 1 s; if it is slow to start, raise OPENTIMEOUT"),
        {"opentimeout": "1s"},
    ),
    Situation(
        "RTSP, a camera that sends no video",
        rtsp_server(),
        Refused("no data for 1 s"),
        {"opentimeout": "1s", "frozenafter": "1s"},
    ),
    Situation(
        "a URL without a host", link("rtsp://"), Refused("expected rtsp://HOST:PORT/PATH, found no host")
    ),
    Situation(
        "a URL without `//`",
        link("rtsp:/192.168.1.20/stream1"),
        Refused("expected rtsp://HOST:PORT/PATH, found no ://"),
    ),
    Situation(
        "a URL with a wrong port",
        link("rtsp://192.168.1.20:PORT/"),
        Refused("expected rtsp://HOST:PORT/PATH, with a port from 1 to 65535"),
    ),
    Situation(
        "a URL with an unknown scheme",
        link("ftps://127.0.0.1/x"),
        Refused(
            "expected a file, a device such as 0 or /dev/video0, or a URL with one of these schemes: "
            + ", ".join(SCHEMES)
        ),
    ),
]
