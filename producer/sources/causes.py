"""Why FFmpeg cannot open or read a video, in one line that says what would help."""

import errno
from typing import Final

import av

from producer.sources.source import CaptureError, SilentError

NO_DECODER: Final = "FFmpeg has no decoder for its video: set the camera to H.264"
"""What is wrong with a video in an unknown codec."""

NOT_A_VIDEO: Final = "what it sends is not a video, or in a format that FFmpeg does not know"
"""What is wrong with data in which FFmpeg finds no video."""

NO_PERMISSION: Final = "no permission to read it"
"""What is wrong with a file or device; on the network, it has another cause."""

GZIP: Final = b"\x1f\x8b\x08"
"""How data compressed by gzip begin (RFC 1952)."""

# What RTSP and other servers answer.
_ANSWERS: Final[dict[type[av.FFmpegError], str]] = {
    av.HTTPBadRequestError: "the camera answers 400 Bad Request: check the path in its URL",
    av.HTTPUnauthorizedError: "the camera does not accept this user name and password"
    " (in a URL, write %23 for #, %40 for @, %2F for /)",
    av.HTTPForbiddenError: "the camera's user has no permission for this path",
    av.HTTPNotFoundError: "the camera has nothing at this path",
    av.HTTPTooManyRequestsError: "the camera has too many connections: end some of the others",
    av.HTTPOtherClientError: "the camera refuses the request (4xx): it may have too many connections",
    av.HTTPServerError: "the camera reports an error of its own (5xx): restart it if that persists",
    av.DecoderNotFoundError: NO_DECODER,
    av.ProtocolNotFoundError: "FFmpeg cannot read URLs with this scheme",
    av.EOFError: "it ends before the first frame",
    av.ArgumentError: "it is not a video, or leads to another address or file:"
    " let the link lead to the video itself",
    av.InvalidDataError: NOT_A_VIDEO,
}
_ERRNOS: Final = {
    errno.ECONNREFUSED: "nothing answers at this port of its host",
    errno.EHOSTUNREACH: "its host cannot be reached",
    errno.ENETUNREACH: "its network cannot be reached",
    errno.ECONNRESET: "the camera has closed the connection",
    errno.ECONNABORTED: "the camera has closed the connection",
    errno.EPIPE: "the camera has closed the connection",
    errno.EPROTONOSUPPORT: "the camera does not send its video this way:"
    " try rtsp+udp:// instead of rtsp:// or the other way round",
    errno.EBUSY: "the device is busy: another program uses it",
    errno.EACCES: NO_PERMISSION,
    errno.EPERM: NO_PERMISSION,
    errno.ENOENT: "it does not exist, or is not plugged in",
    errno.ENODEV: "it does not exist, or is not plugged in",
    errno.ENXIO: "it does not exist, or is not plugged in",
    errno.ENOTTY: "it is not a camera",
    errno.EADDRINUSE: "its port is in use on this machine",
}


UNREACHABLE: Final = frozenset(
    _ERRNOS[number] for number in (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH)
)
"""What is wrong with an address if another one of the same host may do."""


def cause(error: av.FFmpegError, timeout: float) -> str:
    """Return why FFmpeg failed, without the address; `timeout` in s applied."""
    if isinstance(error, (av.ExitError, av.TimeoutError)):
        return f"no data within {timeout:g} s"
    for kind, text in _ANSWERS.items():
        if isinstance(error, kind):
            return text
    return _ERRNOS.get(error.errno or 0) or f"FFmpeg reports: {error.strerror}"


def unconnected(error: OSError, timeout: float) -> CaptureError:
    """Return why there is no connection to a camera; `timeout` in s applied."""
    if isinstance(error, TimeoutError):
        return SilentError(timeout)
    return CaptureError(_ERRNOS.get(error.errno or 0) or f"the connection fails: {error.strerror}")


def unlike_a_video(start: bytes) -> str | None:
    """Return what is wrong with data, from the first bytes of it; None if it may be a video."""
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        return "it is empty"
    if start.startswith(GZIP):
        return "it is compressed by gzip: decompress it first"
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "it is a web page: expected the URL of a video"
    if text.startswith(
        (b"#extm3u", b"ffconcat", b"v=0", b"<?xml", b"<mpd", b"<smil", b"[playlist]", b"[reference]")
    ):
        return "it is a list of other files or hosts: expected the video itself"
    return None
