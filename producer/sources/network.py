"""A camera, or any other stream, on the network."""

import re
import socket
import time
from dataclasses import replace
from typing import Final

from pipeline.cameras.links import authority_of, host_name
from pipeline.targets import TargetError
from producer.sources.causes import NO_PERMISSION, UNREACHABLE, unconnected
from producer.sources.control import Control
from producer.sources.ffmpeg import CONTAINERS, open_video
from producer.sources.source import CaptureError, Limits, SilentError, Source
from producer.sources.stream import StreamSource
from producer.sources.video import Video

_FORMATS: Final = f"rtsp,rtp,{CONTAINERS}"
# What FFmpeg may open for a link: never a file, and not even RTSP, so that it follows no redirection.
_PROTOCOLS: Final = {
    "rtsp": "tcp",
    "rtsp+tcp": "tcp",
    "rtsp+udp": "tcp,rtp,udp",
    "rtsps": "tls,tcp,httpproxy",
    "rtmp": "rtmp,tcp",
    "rtmps": "rtmps,tls,tcp,httpproxy",
    "udplite": "udplite,udp",
    "tls": "tls,tcp,httpproxy",
    "dtls": "dtls,udp",
    "rtp": "rtp,udp",
    "srtp": "srtp,rtp,udp",
    "ftp": "ftp,tcp",
    "mmst": "mmst,tcp",
}
_RTSP: Final = 554  # the default port
_SHORTEST: Final = 0.01  # s for an address
# In the path, the one or two parts that name an application, before the name of a video.
_RTMP: Final = re.compile(r"/[^/?#]+(?=/)(?:/[^/?#]+(?=/))?")


def open_source(link: str, limits: Limits, interval: float = 0) -> Source:
    """Open the stream at a URL; raise `CaptureError` if that fails."""
    scheme, _, rest = link.partition("://")
    scheme = scheme.lower()  # FFmpeg recognises schemes in lower case only
    parts = None if scheme == "unix" else authority_of(rest)
    if parts is None or not parts["host"]:
        return StreamSource(_video(scheme, rest, limits, interval))
    host, port = parts["host"].strip("[]"), int(parts["port"] or _RTSP)
    targets = limits.targets(host_name(host))
    try:
        if scheme == "rtsp+udp":
            control = Control(targets.connect(host, port, limits.open))
            return StreamSource(_video_through(control, parts, limits, interval))
        addresses = targets.addresses(host, port)
    except TargetError as error:
        raise CaptureError(f"it leads to {error}") from None
    except (socket.gaierror, UnicodeError):
        raise CaptureError("its host name is unknown") from None
    except OSError as error:
        raise unconnected(error, limits.open) from None
    return StreamSource(_video_at(addresses, scheme, parts, limits, interval))


def _video_through(control: Control, parts: re.Match[str], limits: Limits, interval: float) -> Video:
    rest = f"{parts['user']}{control.host}{parts['path']}"
    try:
        return _video("rtsp+udp", rest, limits, interval)
    except CaptureError:
        if control.trouble:
            raise CaptureError(control.trouble) from None
        raise


def _video_at(
    addresses: list[str], scheme: str, parts: re.Match[str], limits: Limits, interval: float
) -> Video:
    """Open a stream at the first of its host's addresses that answers; they share the time for it."""
    port, path = f":{parts['port']}" if parts["port"] else "", parts["path"]
    options = {}
    if scheme in ("rtmp", "rtmps") and (application := _RTMP.match(path)):
        # A server may have several names, each with videos of its own.
        options["rtmp_tcurl"] = f"{scheme}://{parts['host']}{port}{application[0]}"
    until, trouble = time.monotonic() + limits.open, CaptureError("its host has no address")
    for place, address in enumerate(addresses):
        host = f"[{address}]" if ":" in address else address
        share = max(_SHORTEST, (until - time.monotonic()) / (len(addresses) - place))
        rest = f"{parts['user']}{host}{port}{path}"
        try:
            return _video(scheme, rest, replace(limits, open=share), interval, **options)
        except SilentError:
            trouble = SilentError(limits.open)
        except CaptureError as error:
            if str(error) not in UNREACHABLE:
                raise
            trouble = error
    raise trouble


def _video(scheme: str, rest: str, limits: Limits, interval: float, **more: str) -> Video:
    options = {
        "format_whitelist": _FORMATS,
        "protocol_whitelist": _PROTOCOLS.get(scheme, scheme),
        "rtsp_transport": "udp" if scheme == "rtsp+udp" else "tcp",
        **more,
    }
    try:
        return open_video(f"{scheme.partition('+')[0]}://{rest}", limits, interval, options)
    except CaptureError as error:
        if str(error) != NO_PERMISSION:
            raise
        raise CaptureError(
            "it leads to another address, or this machine's firewall forbids the connection"
        ) from None
