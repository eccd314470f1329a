"""Protection from pages of other sites: only our own page may change anything or open a socket."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

Headers = Sequence[tuple[bytes, bytes]]
"""The headers of an ASGI scope."""

Client = tuple[str, int] | None
"""The client in an ASGI scope: its address and port, if they are known."""

_ENCRYPTED: Final = {"https", "wss"}
_PORTS: Final = {"http": 80, "https": 443}
_JUDGED: Final = {"same-origin", "same-site", "cross-site"}
_LONGEST: Final = 200  # characters of a header in a message
_FOREIGN: Final = "requests from pages of other sites are not allowed"


def values(headers: Headers, name: bytes) -> list[str]:
    """Return the values of all headers with a name, given in lower case."""
    return [value.decode("latin-1") for key, value in headers if key == name]


def header(headers: Headers, name: bytes) -> str:
    """Return the value of a header, several joined by commas; empty if there is none."""
    return ", ".join(values(headers, name))


def same(headers: Headers, scheme: str) -> bool:
    """Return whether a request comes from a page of this server, or from no page at all.

    `scheme` is the ASGI scope's. If it says that the request was encrypted, the page must be, too: anyone on
    the way can forge a page that is not. If it does not, a proxy may have terminated TLS without saying so.

    Browsers send the page's origin. If they also send `Sec-Fetch-Site`, which pages cannot set, that decides,
    because it is right even behind proxies that change the host. See https://web.dev/articles/fetch-metadata.
    Browsers do not send it to other machines over plain HTTP, and Chromium never when it opens a WebSocket.
    """
    site = header(headers, b"sec-fetch-site")
    if site in _JUDGED:
        return site == "same-origin"
    origins = values(headers, b"origin")
    if not origins:
        return True
    hosts = values(headers, b"host")
    return (
        len(origins) == len(hosts) == 1
        and is_at(origins[0], hosts[0])
        and not _is_less_secure(origins[0], scheme)
    )


def explain(headers: Headers, client: Client, scheme: str) -> str:
    """Return why `same` is False, and what helps if a proxy is the cause; `client` is the scope's."""
    if header(headers, b"sec-fetch-site") in _JUDGED:
        return _FOREIGN
    page = header(headers, b"origin")
    if is_at(page, header(headers, b"host")) and _is_less_secure(page, scheme):
        trust = f"TRUSTEDPROXIES={client[0] if client else 'ADDRESS'}"
        return (
            f"{_FOREIGN}: the page is at {page[:_LONGEST]!r}, but the request came over HTTPS: open the page"
            f" over HTTPS; if a proxy has encrypted the request, set {trust} and have it send"
            " X-Forwarded-Proto"
        )
    return f"{_FOREIGN}: {explain_host(page, headers, client)}"


def explain_host(page: str, headers: Headers, client: Client) -> str:
    """Return what helps if a page with this origin is ours, although it is not on the request's host."""
    host = header(headers, b"host")
    asked = f"the page is at {page[:_LONGEST]!r}, but the request is for the host {host[:_LONGEST]!r}"
    trust = f"set TRUSTEDPROXIES={client[0] if client else 'ADDRESS'}"
    if is_at(page, header(headers, b"x-forwarded-host").rpartition(",")[2].strip()):
        return f"{asked}; if a proxy has changed the host, {trust}"
    return (
        f"{asked}; if a proxy has changed the host, have it pass on the browser's, with the port (nginx:"
        f" proxy_set_header Host $http_host;), or send that as X-Forwarded-Host and {trust}"
    )


def is_at(origin: str, host: str) -> bool:
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


def _is_less_secure(page: str, scheme: str) -> bool:
    """Return whether a request came over HTTPS, but its page did not."""
    return scheme in _ENCRYPTED and urlsplit(page).scheme != "https"
