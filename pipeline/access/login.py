"""Login and logout: the form, and the session's cookie."""

import html
import logging
import math
import re
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from pipeline.access.device import LENGTH, Devices, cookie_name
from pipeline.access.login_guard import Passwords
from pipeline.access.next_url import back_to
from pipeline.access.page_files import FOLDER
from pipeline.access.rootpath import root_of
from pipeline.access.session import COOKIE, Sessions
from pipeline.access.visitor import visitor_of

log = logging.getLogger(__name__)

_PAGE: Final = FOLDER / "login.html"
_NO_STORE: Final = {"Cache-Control": "no-store"}
_FORM: Final = "application/x-www-form-urlencoded"
_LARGEST: Final = 16 * 1024  # bytes of a form
_MOST_FIELDS: Final = 20
_WRONG: Final = "Wrong name or password."
_NOT_YET: Final = "This server is still reading the logouts from Kafka. Try again in a moment."


class Login:
    """Serves /login and /logout; without sessions, access is open to everyone.

    If pictures are `embedded` in pages of other sites, browsers may send the cookie from there, over HTTPS.
    """

    def __init__(self, sessions: Sessions | None, passwords: Passwords, *, embedded: bool = False) -> None:
        self._sessions = sessions
        self._passwords = passwords
        self._embedded = embedded
        self._devices = None if sessions is None else Devices(sessions.users)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/login", self._form),
            Route("/login", self._login, methods=["POST"]),
            Route("/logout", self._logout, methods=["POST"]),
        ]

    async def _form(self, request: Request) -> Response:
        after = request.query_params.get("next", "")
        if self._sessions is None or visitor_of(request.scope).welcome():
            return _redirect(back_to(after, root_of(request.scope)))
        return self._answer(after)

    async def _login(self, request: Request) -> Response:
        fields = await _fields(request)
        name, after = fields.get("name", "").strip(), fields.get("next", "")
        there = _redirect(back_to(after, root_of(request.scope)))
        if self._sessions is None or self._devices is None:
            return there
        self._sessions.users.look()  # somebody who has just been added can log in at once
        if not self._sessions.logouts.are_known:
            return self._answer(after, name, _NOT_YET, 503, {"Retry-After": "5"})
        user = self._sessions.users.get(name)
        client = request.client.host if request.client else ""
        stored = user.password if user else None
        device = self._devices.find(name, request.headers.get("cookie", ""))
        wait = await self._passwords.check(stored, name, fields.get("password", ""), client, device)
        if user is not None and wait == 0:
            log.info("%s logged in from %s", name, client)
            attributes = self._attributes(request)
            length = int(self._sessions.length)
            there.set_cookie(COOKIE, self._sessions.begin(name, user), max_age=length, **attributes)
            there.set_cookie(cookie_name(name), self._devices.issue(name), max_age=LENGTH, **attributes)
            return there
        if wait:
            seconds = math.ceil(wait)
            later = f"Too many attempts. Try again in {seconds} {'second' if seconds == 1 else 'seconds'}."
            return self._answer(after, name, later, 429, {"Retry-After": str(seconds)})
        # Not logged, because an unknown name may be a password typed into the wrong field.
        log.warning("login failed for %s from %s", name if user else "an unknown name", client)
        return self._answer(after, name, _WRONG)

    async def _logout(self, request: Request) -> Response:
        root = root_of(request.scope)
        if self._sessions is None:
            return _redirect(f"{root}/")
        for session in self._sessions.signed(request.headers.get("cookie", "")):
            await self._sessions.end(session)
        there = _redirect(f"{root}/login")
        there.delete_cookie(COOKIE, **self._attributes(request))
        return there

    def _answer(
        self,
        after: str,
        name: str = "",
        error: str = "",
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> Response:
        """Return the login page, with the name already typed, and an error."""
        texts = {"next": after, "name": name, "error": error}
        texts |= {"name_focus": "" if name else " autofocus", "password_focus": " autofocus" if name else ""}
        # In one pass, because typed text may itself look like a placeholder.
        page = re.sub(r"{{(\w+)}}", lambda place: html.escape(texts[place[1]]), _PAGE.read_text("utf-8"))
        return HTMLResponse(page, status, {**_NO_STORE, **(headers or {})})

    def _attributes(self, request: Request) -> dict[str, Any]:
        is_secure = request.url.scheme == "https"
        return {
            "path": root_of(request.scope) or "/",
            "secure": is_secure,
            "httponly": True,
            # What changes anything only comes from our own page: the gate rejects the rest.
            "samesite": "none" if self._embedded and is_secure else "lax",
        }


async def _fields(request: Request) -> dict[str, str]:
    """Return a form's fields; raise `HTTPException` if the body is not a form, or too large."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _FORM:
        raise HTTPException(415, f"expected a form of type {_FORM}")
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > _LARGEST:
                raise HTTPException(413, f"expected a form of at most {_LARGEST} bytes")
        fields = parse_qs(body.decode("latin-1"), max_num_fields=_MOST_FIELDS)
    except (ClientDisconnect, ValueError):
        raise HTTPException(400, "expected the form of the login page") from None
    return {name: values[0] for name, values in fields.items()}


def _redirect(address: str) -> RedirectResponse:
    return RedirectResponse(address, 303, _NO_STORE)
