"""The streams of an ONVIF camera: which address is allowed, and which one is the best."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlsplit

from pipeline.cameras.links import LinkError, host_name, kind_of
from pipeline.targets import Targets
from producer.cameras.onvif.xml import AnswerError

_FULL_HD: Final = 1920 * 1088  # pixels
_SCHEMES: Final = ("rtsp", "rtsps", "http", "https")
LONGEST_ADDRESS: Final = 1_000
"""The greatest length of a stream's address, in characters; a user and a password are added to it."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A combination of size, rate and codec that a camera sends, with its link, or why there is none."""

    token: str
    name: str
    width: int
    height: int
    rate: float
    codec: str
    link: str = field(default="", repr=False)  # it holds the password
    snapshot: str = field(default="", repr=False)
    trouble: str = ""

    @property
    def size(self) -> str:
        """Its width and height, as people write them."""
        return f"{self.width} x {self.height}" if self.width and self.height else "-"


def best(profiles: Sequence[Profile]) -> Profile | None:
    """Return the profile to capture: large, but not beyond Full HD, and cheap to decode; or None.

    H.265 takes about twice as long to decode as H.264.
    """
    usable = [profile for profile in profiles if profile.link]

    def merit(profile: Profile) -> tuple[bool, bool, int, float]:
        pixels = profile.width * profile.height
        fits = pixels <= _FULL_HD
        is_cheap = profile.codec.upper().replace(".", "") not in ("H265", "HEVC")
        return fits, is_cheap, pixels if fits else -pixels, profile.rate

    return max(usable, key=merit, default=None)


def address_of(uri: str, host: str, login: tuple[str, str], targets: Targets) -> str:
    """Return the link of a stream that the camera at a host names, with the login; raise `AnswerError`.

    It must be on the camera's own host, or on one of `targets.hosts`, which does not get the password.
    """
    try:
        parts = urlsplit(uri.strip())
        port = parts.port
    except ValueError:
        raise AnswerError("the address of its stream is invalid") from None
    if parts.scheme not in _SCHEMES or not uri.strip().isprintable() or len(uri) > LONGEST_ADDRESS:
        raise AnswerError(f"the address of its stream is invalid: expected one of {', '.join(_SCHEMES)}")
    named = host_name(parts.hostname or "")
    user = ""
    if _is_same(named, host):
        written = f"[{host}]" if ":" in host else host
        user = ":".join(quote(each, safe="") for each in login) + "@" if login[0] else ""
    elif named and named in targets.hosts:
        written = f"[{named}]" if ":" in named else named
    else:
        raise AnswerError(
            f"its stream is on another host, {named[:80] or '(none)'}: if that is meant, list it in"
            " REDIRECTHOSTS"
        )
    rest = parts.path + (f"?{parts.query}" if parts.query else "")
    link = f"{parts.scheme}://{user}{written}{f':{port}' if port else ''}{rest}".replace(" ", "%20")
    try:
        kind_of(link)
    except LinkError as error:
        raise AnswerError(f"the address of its stream is invalid: {error}") from None
    return link


def _is_same(named: str, host: str) -> bool:
    """Return whether a host that a camera names is the one that it was asked at."""
    if named == host_name(host):
        return True
    try:
        return named in {host_name(str(place[0])) for *_, place in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False
