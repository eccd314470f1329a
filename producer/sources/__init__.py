"""The kinds of camera: a table from the scheme of a link to the module that reads it.

A further kind is a module here with a function `open_source`, its name and schemes in the tables below, and a
row in the README.
"""

import os
from collections.abc import Mapping
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # it loads OpenCV
    from producer.sources.source import Source


class Kind(StrEnum):
    """A kind of camera. The value is the name of its module."""

    NETWORK = "network"
    FILE = "file"
    DEVICE = "device"


# Those for video that the FFmpeg in OpenCV's wheel can open.
_NETWORK: Final = """
    rtsp rtsps http https rtmp rtmps rtmpt rtmpts rtmpe rtmpte udp udplite tcp tls dtls rtp srtp unix
    ftp mmsh mmst sap satip
"""

SCHEMES: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(_NETWORK.split(), Kind.NETWORK),
    "file": Kind.FILE,
}
"""What a URL names, by its scheme. A link that is not a URL names a device or a file."""


class LinkError(ValueError):
    """No kind of camera takes the link.

    The text names the schemes that are known, but not the link, which may hold a password.
    """


def kind_of(link: str) -> Kind:
    """Return the kind of camera that a URL, a path or the number of a device names.

    Raises `LinkError` for a URL with an unknown scheme.
    """
    before, is_url, _ = link.partition("://")
    if is_url:
        return _kind_of_scheme(before)
    # A camera that is not plugged in yet is a device too.
    is_device = link.isdecimal() or (link.startswith("/dev/") and not os.path.isfile(link))
    return Kind.DEVICE if is_device else Kind.FILE


def path_of(link: str) -> str:
    """Return the path of a link that names a file: the link itself, or what follows `file://`."""
    _, is_url, path = link.partition("://")
    return path if is_url else link


def open_source(link: str, *, read_timeout: float) -> "Source":
    """Open a camera; a read from the network waits `read_timeout` s at most.

    Raises `LinkError`, or `CaptureError` if the camera cannot be opened now.
    """
    # Imported only now: compose asks for the kind alone, and OpenCV takes 30 MB.
    module = import_module(f"{__name__}.{kind_of(link)}")
    source: Source = module.open_source(link, read_timeout)
    return source


def _kind_of_scheme(text: str) -> Kind:
    scheme = text.rpartition(":")[2].lower()  # FFmpeg can wrap one in another, as in async:http://
    if scheme in SCHEMES:
        return SCHEMES[scheme]
    raise LinkError(
        "expected a file, a device such as 0 or /dev/video0, or a URL with one of these schemes: "
        + ", ".join(SCHEMES)
    )
