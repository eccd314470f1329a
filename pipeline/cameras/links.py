"""Links to cameras: URLs, paths and devices, and which kind of camera each names."""

import ipaddress
import os
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final
from urllib.parse import unquote


class Kind(StrEnum):
    """A kind of camera. The value is the name of its module."""

    NETWORK = "network"
    HTTP = "http"
    FILE = "file"
    DEVICE = "device"


# The schemes for video that the FFmpeg in PyAV's wheel can open, without those that lead to other hosts: sap
# and satip, and rtmpt, rtmpts and mmsh, whose HTTP follows redirections.
_NETWORK: Final = """
    rtsp rtsps rtsp+udp rtsp+tcp rtmp rtmps udp udplite tcp tls dtls rtp srtp unix ftp mmst
"""

SCHEMES: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(_NETWORK.split(), Kind.NETWORK),
    "http": Kind.HTTP,
    "https": Kind.HTTP,
    "file": Kind.FILE,
}
"""The kind of camera that a URL names, by its scheme. A link that is not a URL names a device or a file."""


# These also receive what is sent to a port of this machine, or name a path.
_WITHOUT_HOST: Final = {"udp", "udplite", "tcp", "tls", "dtls", "rtp", "srtp", "unix", "file"}


DEVICE: Final = "device"
"""What a link without a scheme names if it is not a file, in a list of schemes."""


class LinkError(ValueError):
    """No kind of camera can open the link.

    The message says what was expected. It leaves out the link, which may hold a password.
    """


def kind_of(link: str) -> Kind:
    """Return the kind of camera that a URL, a path or a device number names.

    Raises `LinkError` for a URL with an unknown scheme, or without a host.
    """
    before, is_url, rest = link.partition("://")
    if is_url:
        _check_password(rest)
        kind = _kind_of_scheme(before)
        _check_host(before.lower(), rest)
        return kind
    _check_slashes(link)
    # A path below /dev that does not exist may be a camera that is not plugged in yet.
    is_device = link.isdecimal() or (link.startswith("/dev/") and not os.path.isfile(link))
    return Kind.DEVICE if is_device else Kind.FILE


def scheme_of(link: str) -> str:
    """Return the scheme of a link in lower case: `file` for a path, `device` for a device.

    Raises `LinkError` like `kind_of`.
    """
    kind = kind_of(link)
    before, is_url, _ = link.partition("://")
    return before.lower() if is_url else DEVICE if kind is Kind.DEVICE else "file"


def path_of(link: str) -> str:
    """Return the path of a link that names a file: the link itself, or what a `file` URL says.

    In a URL, `%20` is a space, and so on. `file:/a`, `file:///a` and `file://localhost/a` are the same.
    """
    _, is_url, path = link.partition("://")
    if not is_url:
        if link[:6].lower() != "file:/":
            return link
        path = link[5:]
    if path.startswith("localhost/"):
        path = path.removeprefix("localhost")
    return unquote(path, errors="surrogateescape")


def host_name(text: str) -> str:
    """Return a host's name or address in the form in which two of them can be compared."""
    name = text.lower().removeprefix("[").removesuffix("]")
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name


def authority_of(rest: str) -> re.Match[str] | None:
    """Return what follows the scheme of a URL as user, host, port and path; None if it has no such parts.

    The user includes its `@`, an IPv6 address its brackets, and the path whatever follows.
    """
    return re.fullmatch(
        r"(?P<user>(?:[^/?#]*@)?)(?P<host>\[[^][/?#@]*\]|[^][:/?#@]*)(?::(?P<port>[^:/?#@]*))?(?P<path>(?:[/?#].*)?)",
        rest,
        re.DOTALL,
    )


def _check_password(rest: str) -> None:
    authority, *end = re.split("([/?#])", rest, maxsplit=1)
    _, colon, port = authority.rpartition(":")
    # A number may be a port, but nobody gives a camera's URL a fragment.
    is_cut = colon and not authority.startswith("[") and (end[:1] == ["#"] or not port.isdecimal())
    if "@" in rest and "@" not in authority and is_cut:
        raise LinkError("the user name or password contains #, / or ?: write %23, %2F or %3F instead")


def _check_host(scheme: str, rest: str) -> None:
    if scheme in _WITHOUT_HOST:
        return
    expected = f"expected {scheme}://HOST:PORT/PATH"
    parts = authority_of(rest)
    if parts is None:
        raise LinkError(f"{expected}, with an IPv6 address in brackets: {scheme}://[fd00::1]:PORT/PATH")
    host, port = parts["host"].strip("[]"), parts["port"] or ""
    if not host.strip():
        raise LinkError(f"{expected}, found no host")
    if len(host.split()) > 1:
        raise LinkError(f"{expected}, found a space in the host")
    if port and not (port.isascii() and port.isdecimal() and 0 < int(port) <= 65535):
        raise LinkError(f"{expected}, with a port from 1 to 65535")
    if host.lower() in SCHEMES and "//" in rest:
        raise LinkError(f"{expected}, found two schemes")


def _check_slashes(link: str) -> None:
    """Refuse a URL whose colon or slashes are missing, unless there is such a file."""
    found = re.match("([A-Za-z+]+)(?::|//)", link)
    scheme = found[1].lower() if found else ""
    if scheme in SCHEMES and scheme != "file" and not os.path.exists(link):
        raise LinkError(f"expected {scheme}://HOST:PORT/PATH, found no ://")


def _kind_of_scheme(text: str) -> Kind:
    if text.lower() in SCHEMES:
        return SCHEMES[text.lower()]
    if text.lower() == "onvif":
        raise LinkError(
            "only python -m producer.cameras asks cameras with ONVIF: discover lists their streams, and add"
            " NAME onvif://USER:PASSWORD@HOST adds one"
        )
    raise LinkError(
        "expected a file, a device such as 0 or /dev/video0, or a URL with one of these schemes: "
        + ", ".join(SCHEMES)
    )
