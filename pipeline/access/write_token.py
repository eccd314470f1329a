"""Changes without a users file: from this machine, or with the token in a link that the server prints."""

import hashlib
import hmac
import math
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

from pydantic import SecretStr
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import Scope

from pipeline.access import cookies as cookie
from pipeline.access import origin
from pipeline.access.limit import Limit
from pipeline.access.local import LOCAL
from pipeline.access.roles import Role
from pipeline.access.rootpath import root_of, route_of
from pipeline.access.visitor import Anyone
from pipeline.service.networks import network_of

COOKIE: Final = "streamlens-write"
"""The cookie's name, for changes of cameras; for those of another role, the role follows.

Browsers send cookies to all ports of a host, so that servers on the same machine need different names.
"""

_FORM: Final = re.compile(r"[\w.~-]{16,200}", re.ASCII)
_MOST_WRONG: Final = 5  # wrong tokens that cost nothing
_SLOWEST: Final = 60.0  # s that the next attempt has to wait at most
_REMEMBERED: Final = 1_000  # wrong tokens that are not counted again, such as those of an earlier run
_NO_STORE: Final = {"Cache-Control": "no-store"}
_WHERE: Final = (
    "open the page on the server's own machine, or with the link that the server prints at its start"
)
_WRONG: Final = "this token is not valid: use the link that the server printed at its newest start"


def check_token(token: SecretStr) -> SecretStr:
    """Return a token as it is; raise ValueError for one that is too short, or does not fit in a URL."""
    if (text := token.get_secret_value()) and not _FORM.fullmatch(text):
        raise ValueError("expected 16 to 200 letters (a-z, A-Z), digits or any of ._~-")
    return token


class WriteAccess:
    """Decides who has the `role` for changes if there is no users file; belongs to the event loop.

    Requests from this machine have it, and those with the `token`, in the cookie that the link sets or as
    `Authorization: Bearer`. If it is for `everyone`, all have it; without a token, nobody. `clock` is
    monotonic.
    """

    def __init__(
        self,
        token: str = "",
        *,
        everyone: bool = False,
        role: Role = "operator",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._token = token
        self._role: Role = role
        self._cookie_name = COOKIE if role == "operator" else f"{COOKIE}-{role}"
        self._cookie = hashlib.sha256(f"streamlens-write {token}".encode()).hexdigest() if token else ""
        self._everyone = everyone
        self._clock = clock
        self._failures = Limit(_MOST_WRONG, _SLOWEST)
        self._wrong: OrderedDict[str, None] = OrderedDict()

    def visitor(self, scope: Scope) -> Anyone:
        """Return the visitor behind a request."""
        if not self._token and not self._everyone:
            return self._anyone(_WHERE)
        if self._everyone or scope.get(LOCAL, False):
            return self._anyone(None)
        headers = scope["headers"]
        kind, _, bearer = origin.header(headers, b"authorization").partition(" ")
        sent = [bearer.strip()] if kind.lower() == "bearer" else []
        known = list(cookie.values("; ".join(origin.values(headers, b"cookie")), self._cookie_name))
        if not sent and not known:
            return self._anyone(_WHERE)
        for values, right in ((sent, self._token), (known, self._cookie)):
            for value in values:
                if wait := self._check(value, right, scope):
                    return self._anyone(f"too many wrong tokens: try again in {math.ceil(wait)} s")
                if _same(value, right):
                    return self._anyone(None)
        return self._anyone(_WRONG)

    def _anyone(self, why_not: str | None) -> Anyone:
        return Anyone(why_not, self._role)

    def answer(self, scope: Scope) -> Response | None:
        """Return the answer to the page's address with a token, which sets the cookie; or None."""
        if not self._token or scope["type"] != "http" or scope["method"] != "GET" or route_of(scope) != "/":
            return None
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        sent = query.pop("token", None)
        if sent is None:
            return None
        if wait := self._check(sent[-1], self._token, scope):
            seconds = math.ceil(wait)
            text = f"too many wrong tokens: try again in {seconds} s\n"
            return PlainTextResponse(text, 429, {**_NO_STORE, "Retry-After": str(seconds)})
        if not _same(sent[-1], self._token):
            return PlainTextResponse(f"{_WRONG}\n", 403, _NO_STORE)
        rest = urlencode(query, doseq=True)
        there = RedirectResponse(f"{root_of(scope)}/" + (f"?{rest}" if rest else ""), 303, _NO_STORE)
        options: dict[str, Any] = {"path": root_of(scope) or "/", "secure": scope["scheme"] == "https"}
        there.set_cookie(self._cookie_name, self._cookie, httponly=True, samesite="strict", **options)
        return there

    def _check(self, sent: str, right: str, scope: Scope) -> float:
        """Count a wrong token; return how long the client has to wait before any token counts, in s."""
        client = network_of(scope["client"][0]) if scope.get("client") else ""
        now = self._clock()
        if wait := self._failures.wait(client, now):
            return wait
        if _same(sent, right):
            return 0.0
        # Trying the same one again tells nobody anything, and an old cookie comes with each request.
        digest = hashlib.sha256(sent.encode("utf-8", "surrogatepass")).hexdigest()
        if digest not in self._wrong:
            self._wrong[digest] = None
            if len(self._wrong) > _REMEMBERED:
                self._wrong.popitem(last=False)
            self._failures.failed(client, now)
        return 0.0


def new_token() -> str:
    """Return a token for one run of the server."""
    return secrets.token_urlsafe(24)


def _same(sent: str, right: str) -> bool:
    return hmac.compare_digest(sent.encode("utf-8", "surrogatepass"), right.encode())
