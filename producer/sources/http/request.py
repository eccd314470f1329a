"""Requests to a camera: its password, its redirections, and in one line why it gives no answer."""

import logging
import re
import socket
import time
from contextlib import nullcontext
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import BadStatusLine, HTTPException, IncompleteRead, LineTooLong
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urljoin, urlsplit, urlunsplit

import requests
import urllib3
from requests.auth import AuthBase, HTTPBasicAuth, HTTPDigestAuth
from urllib3.exceptions import HTTPError, LocationParseError, ProtocolError

from pipeline.cameras.links import host_name
from pipeline.targets import TargetError
from producer.sources.http.deadline import Adapter, Connection
from producer.sources.http.kinds import unreadable_coding
from producer.sources.source import SLOW, CaptureError, Limits

_READ: Final = 256 * 1024  # bytes at a time
_LOGINS: Final = re.compile(r"(?i)\b(?:basic|digest)\b")
_LENGTH: Final = re.compile(r"[0-9]{1,18}")
_MOST_REDIRECTS: Final = 5
_REDIRECTS: Final = {301, 302, 303, 307, 308}
_BUSY: Final = {408, 425, 429, 500, 502, 503, 504}
"""Statuses of a camera that may answer the next request."""
_LONGEST_RETRY: Final = 60.0  # s that a camera may ask to be left alone

_STATUSES: Final = {
    401: "the camera does not accept this user name and password",
    403: "the camera's user has no permission for this path",
    404: "the camera has nothing at this path",
}

_COMPRESSED: Final = (
    "the camera compresses its answer ({}), although it is asked not to: switch that off there"
)
_CLOSED: Final = "the camera has closed the connection"
_INVALID: Final = "its URL is invalid: expected http://HOST:PORT/PATH"
# The first that fits.
_REASONS: Final[tuple[tuple[tuple[type[Exception], ...], str], ...]] = (
    ((TimeoutError,), "no {thing} within {timeout:g} s"),
    ((socket.gaierror, UnicodeError), "its host name is unknown"),
    ((ConnectionRefusedError,), "nothing answers at this port of its host"),
    ((ConnectionError, IncompleteRead, ProtocolError), _CLOSED),
    ((LocationParseError, requests.exceptions.InvalidURL), _INVALID),
    ((LineTooLong,), "its answer is not HTTP: a line is longer than 64 KiB"),
    ((BadStatusLine,), "its answer is not HTTP: it does not begin with HTTP/1.0 or HTTP/1.1, and a status"),
)


class BusyError(CaptureError):
    """The camera does not answer this request, but may answer the next one."""


class _NoPassword(AuthBase):
    """Keeps `requests` from looking for a password in .netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _Session(requests.Session):
    """Leaves redirections to the camera below: `requests` would look at any location, and fail on some."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002
        return None


class Camera:
    """The URL of a camera, and the connection to it.

    A user name and password in the URL are sent only when the camera asks for them, only to its own host, and
    in the way that it asks for: digest if possible, otherwise basic. Certificates are not verified, because
    cameras sign their own.
    """

    def __init__(self, link: str, limits: Limits) -> None:
        try:
            parts = urlsplit(link)
            _ = parts.port  # which may not be a number
        except ValueError:
            raise CaptureError(_INVALID) from None
        self._host = host_name(parts.hostname or "")
        self._user = (unquote(parts.username or ""), unquote(parts.password or ""))
        self._url = urlunsplit(parts._replace(netloc=_without_user(parts)))
        self._targets = limits.targets(self._host)
        self._limits = limits
        self.timeout = limits.open
        """How long an answer may take, in s; a camera may be slow to give the first one."""
        self._auth: AuthBase = _NoPassword()
        self._session = _Session()
        for scheme in "http://", "https://":
            self._session.mount(scheme, Adapter(self._targets))
        self._session.headers.update({"Accept-Encoding": "identity", "User-Agent": "Streamlens"})

    def get(self, url: str = "", *, tag: str = "", start: int = 0) -> requests.Response:
        """Return the answer to a GET, with its body still to be read; raise `CaptureError` for any but 200.

        With the tag of an earlier answer, it may also be 304: nothing has changed since. With a start in
        bytes, it may also be 206: the rest from there. Another `url` must be on the camera's host.
        """
        headers = ({"If-None-Match": tag} if tag else {}) | ({"Range": f"bytes={start}-"} if start else {})
        accepted = {200, 304} if tag else {200, 206} if start else {200}
        url = self._on_host(self._url, url, "refers to") if url else self._url
        for _ in range(1 + _MOST_REDIRECTS):
            answer = self._authorized(url, headers)
            if answer.status_code not in _REDIRECTS:
                if refusal := self._refusal(answer, accepted):
                    answer.close()
                    kind = BusyError if answer.status_code in _BUSY else CaptureError
                    raise kind(refusal, retry_after_of(answer))
                return answer
            answer.close()
            url = self._on_host(url, answer.headers.get("Location", ""), "redirects to")
        raise CaptureError(f"the camera redirects more than {_MOST_REDIRECTS} times")

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def _authorized(self, url: str, headers: dict[str, str]) -> requests.Response:
        answer = self._get(url, headers)
        is_new = isinstance(self._auth, _NoPassword)
        if answer.status_code == 401 and any(self._user) and is_new and self._is_own(url):
            challenge = answer.headers.get("WWW-Authenticate", "").lower()
            answer.close()
            if "digest" in challenge:
                self._auth = HTTPDigestAuth(*self._user)
            else:
                self._auth = HTTPBasicAuth(*(text.encode() for text in self._user))
            answer = self._get(url, headers)
        return answer

    def _get(self, url: str, headers: dict[str, str]) -> requests.Response:
        try:
            if refusal := self._refusal_of(urlsplit(url)):
                raise TargetError(refusal)
            return self._session.get(
                url,
                headers=headers,
                auth=self._auth if self._is_own(url) else _NoPassword(),
                stream=True,
                timeout=(self._limits.open, self.timeout),
                verify=False,
                allow_redirects=False,
            )
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            connected = not isinstance(error, requests.ConnectTimeout)
            timeout = self.timeout if connected else self._limits.open
            text = reason(error, timeout)
            if text.startswith("no answer") and timeout == self._limits.open:
                text += SLOW
            raise _failure(text) from None
        except KeyError:  # from `requests`, which expects them in every challenge
            raise CaptureError(
                "the camera asks for a password in an unknown way: expected a realm and a nonce"
            ) from None

    def _is_own(self, url: str) -> bool:
        return host_name(urlsplit(url).hostname or "") == self._host

    def _on_host(self, url: str, location: str, verb: str) -> str:
        try:
            parts = urlsplit(urljoin(url, location))
            refusal = self._refusal_of(parts)
        except ValueError:
            parts, refusal = urlsplit(""), None
        usable = host_name(parts.hostname or "") in self._targets.hosts
        if not location or not parts.scheme:
            raise CaptureError(f"the camera {verb} nowhere: expected a URL")
        if refusal:
            raise CaptureError(f"the camera {verb} {refusal}")
        if parts.scheme not in ("http", "https"):
            raise CaptureError(
                f"the camera {verb} a URL with {parts.scheme[:20]}://, expected http:// or https://"
            )
        if not usable:
            raise CaptureError(f"the camera {verb} another host: name it in the link, or in REDIRECTHOSTS")
        if url.startswith("https:") and parts.scheme == "http":
            raise CaptureError(f"the camera {verb} http, from https: let the link lead to the video itself")
        return urlunsplit(parts._replace(netloc=_without_user(parts)))

    def _refusal_of(self, parts: SplitResult) -> str | None:
        """Return why the address in a URL may not be asked; through a proxy, nothing else is checked."""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return self._targets.refusal(host_name(parts.hostname or ""), port)

    def _refusal(self, answer: requests.Response, accepted: set[int]) -> str:
        """Return in one line why an answer is of no use, or nothing."""
        status = answer.status_code
        if status in accepted:
            coding = unreadable_coding(answer)
            return _COMPRESSED.format(coding[:20]) if coding else ""
        offers = answer.headers.get("WWW-Authenticate", "")
        if status == 401 and offers and not _LOGINS.search(offers):
            kind = offers.partition(" ")[0].rstrip(",")[:20]
            return f"the camera asks for a login of the kind {kind}: only digest and basic are supported"
        if status == 401 and not any(self._user):
            return "the camera requires a password: http://USER:PASSWORD@..., with %23 for # and %40 for @"
        known = status in HTTPStatus._value2member_map_
        name = f"{status} {HTTPStatus(status).phrase}" if known else str(status)
        return _STATUSES.get(status, f"the camera answers {name}")


def length_of(answer: requests.Response) -> int | None:
    """Return the length of a body in bytes, if the camera states one that is a number."""
    text = answer.headers.get("Content-Length", "")
    return int(text) if _LENGTH.fullmatch(text) else None


def retry_after_of(answer: requests.Response) -> float:
    """Return for how many seconds the camera asks to be left alone, up to a minute; 0 if it does not."""
    text = answer.headers.get("Retry-After", "")
    try:
        seconds = float(text) if text.isdecimal() else parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, OverflowError):
        return 0.0
    return min(max(0.0, seconds), _LONGEST_RETRY)


def read(answer: requests.Response, timeout: float) -> bytes:
    """Return what has arrived of a body, waiting for it; nothing at the end.

    Raises `CaptureError`, which is a `BusyError` if the camera has closed the connection too early.
    """
    raw: Any = answer.raw
    # What surrounds the chunks may trickle in as well, and is read up to the end of a line.
    connection = raw.connection if isinstance(raw.connection, Connection) else None
    try:
        if connection is not None:
            connection.limit_pauses(timeout)
        with connection.within(timeout) if connection and raw.chunked else nullcontext():
            data: bytes = raw.read1(_READ, decode_content=False)
            return data
    except (HTTPError, HTTPException, OSError, ValueError) as error:
        raise _failure(reason(error, timeout, "data")) from None


def _failure(text: str) -> CaptureError:
    return (BusyError if text == _CLOSED else CaptureError)(text)


def reason(error: BaseException, timeout: float, thing: str = "answer") -> str:
    """Return in one line why no `thing` came, without the address, which may hold a password."""
    while type(error).__module__.startswith(("urllib3.", "requests.")) and error.__context__ is not None:
        error = error.__context__
    if isinstance(error, TargetError):
        return f"it leads to {error}"
    for kinds, text in _REASONS:
        if isinstance(error, kinds):
            return text.format(timeout=timeout, thing=thing)
    if isinstance(error, OSError) and error.strerror:
        return f"the connection fails: {error.strerror}"
    if type(error) is HTTPException:  # which http.client raises for nothing else
        return "its answer is not HTTP: it has more than 100 headers"
    return "its answer is not HTTP"


def _without_user(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
logging.getLogger("urllib3").setLevel(logging.ERROR)  # it warns of headers that do not matter here
