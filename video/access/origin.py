"""Protection from other sites' pages: what changes anything, and sockets, is for our own page only."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

Headers = Sequence[tuple[bytes, bytes]]
"""The headers of an ASGI scope."""

_PORTS: Final = {"http": 80, "https": 443}


def values(headers: Headers, name: bytes) -> list[str]:
    """Return the texts of all headers of a name, which is in lower case."""
    return [value.decode("latin-1") for key, value in headers if key == name]


def header(headers: Headers, name: bytes) -> str:
    """Return a header's text, several joined by a comma; empty where there is none."""
    return ", ".join(values(headers, name))


def same(headers: Headers) -> bool:
    """Tell whether a request comes from a page of this server, or from no page at all.

    Browsers tell the page's origin; where they also judge it (`Sec-Fetch-Site`, which only they can set),
    that holds behind proxies that change the host, too. See https://web.dev/articles/fetch-metadata.
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
    """Tell whether an origin is on this host and port; a proxy may have taken the TLS off."""
    try:
        there = urlsplit(origin)
        here = urlsplit(f"//{host}")
        usual = _PORTS[there.scheme]
        return there.hostname is not None and (
            (there.hostname, there.port or usual) == (here.hostname, here.port or usual)
        )
    except (ValueError, KeyError):  # no port that a number could be; neither http nor https
        return False
