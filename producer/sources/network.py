"""A camera, or any other stream, on the network."""

import socket
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from producer.sources.ffmpeg import CONTAINERS, open_video
from producer.sources.source import CaptureError, Limits, Source
from producer.sources.stream import StreamSource

_TRANSPORTS: Final = {"rtsp+udp": "udp", "rtsp+tcp": "tcp"}
# Without file, concat and the like, which a camera must not make FFmpeg read.
_PROTOCOLS: Final = (
    "rtp,srtp,udp,udplite,tcp,tls,dtls,unix,rtmp,rtmps,rtmpt,rtmpts,ffrtmphttp,"
    "ftp,mmsh,mmst,http,https,httpproxy"
)
_OPTIONS: Final = {"format_whitelist": f"rtsp,rtp,satip,{CONTAINERS}", "protocol_whitelist": _PROTOCOLS}


def open_source(link: str, limits: Limits, interval: float = 0) -> Source:
    """Open the stream at a URL; raise `CaptureError` if that fails."""
    scheme, _, rest = link.partition("://")
    scheme = scheme.lower()  # FFmpeg recognises schemes in lower case only
    options = {**_OPTIONS, "rtsp_transport": _TRANSPORTS.get(scheme, "tcp")}
    address = f"{'rtsp' if scheme in _TRANSPORTS else scheme}://{rest}"
    try:
        return StreamSource(open_video(address, limits, interval, options))
    except CaptureError:
        if _is_unknown(address):  # for which FFmpeg has no error of its own
            raise CaptureError("its host name is unknown") from None
        raise


def _is_unknown(address: str) -> bool:
    with suppress(ValueError):
        host = urlsplit(address).hostname
        try:
            socket.getaddrinfo(host, None)
        except (socket.gaierror, UnicodeError):
            return True
    return False
