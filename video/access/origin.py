"""Protection from pages of other sites: only our own page may change anything or open a socket."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

Headers = Sequence[tuple[bytes, bytes]]
"""The headers of an ASGI scope."""

_PORTS: Final = {"http": 80, "https": 443}


def values(headers: Headers, name: bytes) -> list[str]:
    """Return the values of all headers with a name, given in lower case."""
    return [value.decode("latin-1") for key, value in headers if key == name]


def header(headers: Headers, name: bytes) -> str:
    """Return the value of a header, several joined by commas; empty if there is none."""
    return ", ".join(values(headers, name))


def same(headers: Headers) -> bool:
    """Return whether a request comes from a page of this server, or from no page at all.

    Browsers send the page's origin. If they also send `Sec-Fetch-Site`, which pages cannot set, that decides,
    because it is right even behind proxies that change the host. See https://web.dev/articles/fetch-metadata.
    """
    site = header(headers, b"sec-fetch-site")
    if site in {"same-origin", "same-site", "cross-site"}:
        return site == "same-origin"
    origins = values(headers, b"origin")
    if not origins:
        return True
    hosts = values(headers, b"host")
    return len(origins) == len(hosts) == 1 and _same(origins[0], hosts[0])


def _same(origin: str, host: str) -> bool:
    """Return whether an origin is on this host and port; a proxy may have terminated TLS."""
    try:
        there = urlsplit(origin)
        here = urlsplit(f"//{host}")
        usual = _PORTS[there.scheme]
        return there.hostname is not None and (
            (there.hostname, there.port or usual) == (here.hostname, here.port or usual)
        )
    except (ValueError, KeyError):  # an invalid port; neither http nor https
        return False
