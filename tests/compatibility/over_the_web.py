"""The video server behind proxies, on pages of other sites, and for other clients."""

import base64
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPResponse
from logging.handlers import BufferingHandler
from pathlib import Path
from typing import Any, Final

from websockets.exceptions import InvalidStatus

from pipeline.access import token
from pipeline.access.logouts import Logouts
from pipeline.access.password import hashed
from pipeline.access.session import Sessions
from pipeline.access.users import Users
from pipeline.access.users_file import User, UsersFile, write
from pipeline.service.workers import Pulse
from tests.compatibility.proxy import proxy
from tests.compatibility.situation import Check
from tests.video.conftest import serving
from tests.video.fakes import Site, a_frame
from tests.visitor import Visitor, read_part

PASSWORD: Final = "correct horse"
TOKEN: Final = "sl_of-ann"
HTML: Final = "text/html,application/xhtml+xml"
DASHBOARD: Final = "http://dashboard.example:8123"
WORKS: Final = "page, pictures and streams work"
LOGIN_WORKS: Final = f"login, {WORKS}"
_JPEG: Final = b"\xff\xd8"

Headers = Mapping[str, str | None]


@contextmanager
def site(folder: Path, *, closed: bool = False, **options: Any) -> Iterator[Site]:
    """A video server with the camera `door`, open to all or for ann only."""
    if closed:
        path = folder / "users.json"
        ann = User(password=hashed(PASSWORD), cameras=["*"], tokens={"player": token.digest(TOKEN)})
        write(path, UsersFile(secret="s" * 32, users={"ann": ann}))
        users = Users(path)
        logouts = Logouts(users)
        logouts.are_known = True
        options["sessions"] = Sessions(users, 3600, logouts)
    with serving(Pulse(threading.Event()), allowed_hosts=("cams",), **options) as served:
        served.show(a_frame())
        yield served


def visit(page: str, closed: bool) -> str:
    """Do all that a browser does, and return what works; if the WebSocket is refused, why."""
    visitor = Visitor(page)
    if closed:
        assert visitor.log_in("ann", PASSWORD) == page
    assert b"page/app.js" in visitor.get("", Accept=HTML)
    assert b"Feed" in visitor.get("page/app.js")
    assert visitor.get("snapshot/door.jpg").startswith(_JPEG)
    with visitor.ask("stream/door") as stream:
        stream.readline()
        assert read_part(stream).startswith(_JPEG)
    try:
        assert visitor.watch("door").startswith(_JPEG)
    except InvalidStatus:
        with visitor.ask("ws", None, Referer=page) as answer:  # as our page asks
            return f"“{answer.read().decode().strip()}”"
    paths = {cookie.path for cookie in visitor.cookies}
    return (LOGIN_WORKS if closed else WORKS) + "".join(f"; the cookie is for {path}" for path in paths)


def behind(
    sends: Headers, *, path: str = "", strips: bool = False, closed: bool = False, **options: Any
) -> Callable[[Path], str]:
    """Return what visits the page behind a proxy."""

    def see(folder: Path) -> str:
        with (
            site(folder, closed=closed, root=path, **options) as served,
            proxy(served.port, strips=path if strips else "", sends=sends) as address,
        ):
            return visit(f"http://{address}{path}/", closed).replace(address, "cams:8081")

    return see


def without_slash(folder: Path) -> str:
    """Open the page's path without the slash at its end."""
    with (
        site(folder, root="/cameras") as served,
        proxy(served.port) as address,
        Visitor(f"http://{address}/cameras").ask("", Accept=HTML) as answer,
    ):
        return f"leads to {answer.url.removeprefix(f'http://{address}')}"


def cookie(proxies: str) -> Callable[[Path], str]:
    """Return what logs in over a proxy that does HTTPS."""

    def see(folder: Path) -> str:
        sends = {"X-Forwarded-Proto": "https"}
        with site(folder, closed=True, proxies=proxies) as served, proxy(served.port, sends=sends) as address:
            visitor = Visitor(f"http://{address}/")
            visitor.origin = f"https://{address}"
            visitor.log_in("ann", PASSWORD)
            (is_secure,) = {found.secure for found in visitor.cookies}
            return f"the cookie is {'' if is_secure else 'not '}`Secure`"

    return see


def from_a_page_over_http(folder: Path) -> str:
    """Send the form of a page that came over HTTP to a proxy that does HTTPS; return what the answer says."""
    sends = {"X-Forwarded-Proto": "https"}
    with (
        site(folder, closed=True, proxies=TRUSTED) as served,
        proxy(served.port, sends=sends) as address,
        Visitor(f"http://{address}/").ask("login", {"name": "ann", "password": PASSWORD}) as answer,
    ):
        return f"“{answer.read().decode().strip().replace(address, 'cams')}”"


def failed_login(proxies: str) -> Callable[[Path], str]:
    """Return what types a wrong password behind a proxy, and looks into the log."""

    def see(folder: Path) -> str:
        handler = BufferingHandler(10)
        log = logging.getLogger("pipeline.access.login")
        sends = {"X-Forwarded-For": "192.0.2.1"}
        with site(folder, closed=True, proxies=proxies) as served, proxy(served.port, sends=sends) as address:
            log.addHandler(handler)
            Visitor(f"http://{address}/").log_in("ann", "wrong")
            log.removeHandler(handler)
        return f"“{handler.buffer[0].getMessage()}”"

    return see


def unknown_name(folder: Path) -> str:
    """Open the page, without logins, under a name that is not known; return what it says."""
    with site(folder) as served, served.ask("/", Accept=HTML, Host="cameras.example") as answer:
        return f"“{answer.read().decode().strip()}”"


TRUSTED: Final = "127.0.0.1"
FORWARDED: Final = {"Host": "video:8080", "X-Forwarded-Host": "{host}"}
ASKED: Final = "the page is at 'http://cams:8081', but the request is for the host"
PASS_ON: Final = (
    "if a proxy has changed the host, have it pass on the browser's, with the port (nginx: proxy_set_header"
    " Host $http_host;), or send that as X-Forwarded-Host and set TRUSTEDPROXIES=127.0.0.1"
)
FOR_CAMERAS: Final = f"{LOGIN_WORKS}; the cookie is for /cameras"

PROXIES: Final = [
    Check(
        "a proxy on another port, without `X-Forwarded-*`",
        behind({}, closed=True),
        f"{LOGIN_WORKS}; the cookie is for /",
    ),
    Check(
        "a path that the proxy keeps, with `ROOTPATH`", behind({}, path="/cameras", closed=True), FOR_CAMERAS
    ),
    Check(
        "a path that the proxy strips, with `ROOTPATH`",
        behind({}, path="/cameras", strips=True, closed=True),
        FOR_CAMERAS,
    ),
    Check("the path without its slash", without_slash, "leads to /cameras/"),
    Check(
        "a proxy that changes `Host`", behind({"Host": "video:8080"}), f"“{ASKED} 'video:8080'; {PASS_ON}”"
    ),
    Check(
        "a host name that is not in `ALLOWEDHOSTS`, without `USERS`",
        unknown_name,
        "“'cameras.example' is not a known name of this server: open the page by its IP address, or set"
        " ALLOWEDHOSTS=cameras.example”",
    ),
    Check(
        "a proxy that leaves out the port in `Host`", behind({"Host": "cams"}), f"“{ASKED} 'cams'; {PASS_ON}”"
    ),
    Check(
        "a proxy that sends `X-Forwarded-Host`, not trusted",
        behind(FORWARDED),
        f"“{ASKED} 'video:8080'; if a proxy has changed the host, set TRUSTEDPROXIES=127.0.0.1”",
    ),
    Check(
        "a proxy that sends `X-Forwarded-Host`, with `TRUSTEDPROXIES`",
        behind(FORWARDED, proxies=TRUSTED),
        WORKS,
    ),
    Check(
        "a proxy that sends `X-Forwarded-Host`, with its network in `TRUSTEDPROXIES`",
        behind(FORWARDED, proxies="127.0.0.0/8"),
        WORKS,
    ),
    Check(
        "a proxy that does not pass on `Upgrade`",
        behind({"Upgrade": None, "Connection": "close"}),
        "“expected a WebSocket: a proxy in between must pass on the headers Upgrade and Connection (nginx:"
        " proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection;)”",
    ),
    Check("HTTPS at the proxy, with `TRUSTEDPROXIES`", cookie(TRUSTED), "the cookie is `Secure`"),
    Check("HTTPS at the proxy, without `TRUSTEDPROXIES`", cookie(""), "the cookie is not `Secure`"),
    Check(
        "HTTPS at the proxy, with `TRUSTEDPROXIES`, from a page that came over HTTP",
        from_a_page_over_http,
        "“requests from pages of other sites are not allowed: the page is at 'http://cams', but the request"
        " came over HTTPS: open the page over HTTPS; if a proxy has encrypted the request, set"
        " TRUSTEDPROXIES=127.0.0.1 and have it send X-Forwarded-Proto”",
    ),
    Check(
        "a wrong password, with `TRUSTEDPROXIES`",
        failed_login(TRUSTED),
        "“login failed for ann from 192.0.2.1”",
    ),
    Check(
        "a wrong password, without `TRUSTEDPROXIES`",
        failed_login(""),
        "“login failed for ann from 127.0.0.1”",
    ),
]


def image(answer: HTTPResponse) -> str:
    """Return what a browser does with a picture for the page of another site."""
    with answer:
        if answer.status == 401:
            return "refused: login required"
        allowed = answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        readable = answer.headers["Access-Control-Allow-Origin"] == DASHBOARD
        return (
            f"shown{', and readable by scripts' if readable else ''}" if allowed else "blocked by the browser"
        )


def embedded(headers: Mapping[str, str], *, closed: bool, logged_in: bool = True) -> Callable[[Path], str]:
    """Return what asks for a stream and a snapshot as the browser does for an `<img>`."""

    def see(folder: Path) -> str:
        with site(folder, closed=closed, embed_origins=(DASHBOARD,)) as served:
            visitor = Visitor(f"http://127.0.0.1:{served.port}/")
            if closed and logged_in:
                visitor.log_in("ann", PASSWORD)
            stream, snapshot = (
                image(visitor.ask(path, None, **headers)) for path in ("stream/door", "snapshot/door.jpg")
            )
            assert stream == snapshot
            return stream

    return see


def player(path: str, **headers: str) -> Callable[[Path], str]:
    """Return what plays a stream or fetches a snapshot as a program does, with a token."""

    def see(folder: Path) -> str:
        with site(folder, closed=True) as served:
            answer = Visitor(f"http://127.0.0.1:{served.port}/").ask(path, None, **headers)
            with answer:
                if answer.headers["Content-Type"] == "image/jpeg":
                    return "the newest picture" if answer.read().startswith(_JPEG) else "no picture"
                answer.readline()
                return "the stream" if read_part(answer).startswith(_JPEG) else "no picture"

    return see


def heads(folder: Path) -> str:
    """Send HEAD wherever GET is answered."""
    paths = ["/", "/stream", "/stream/door", "/snapshot/door.jpg", "/page/app.js", "/login"]
    paths += ["/api/cameras", "/api/labels", "/api/events", "/api/session", "/api/openapi.json"]
    with site(folder) as served:
        for path in paths:
            with served.ask(path, "HEAD", Accept=HTML) as head:
                assert head.status in {200, 303}, path
                assert head.read() == b"", path
    return "as GET, without a body"


def late(path: str) -> Callable[[Path], str]:
    """Return what waits for a camera that begins to send only then."""

    def see(folder: Path) -> str:
        with site(folder) as served:
            answers: list[bytes] = []

            def ask() -> None:
                with served.ask(f"{path}?wait=30s") as answer:
                    answers.append(answer.read(500))

            waiting = threading.Thread(target=ask)
            waiting.start()
            served.show(a_frame(camera="late"))
            waiting.join(20)
            return "its first picture" if _JPEG in answers[0] else "no picture"

    return see


def never(folder: Path) -> str:
    """Wait for a camera that does not come."""
    with site(folder) as served:
        status, text = served.get("/stream/none?wait=50ms")
        return f"{status}, “{text.decode().strip()}”"


BASIC: Final = "Basic " + base64.b64encode(f"ann:{TOKEN}".encode()).decode()
NAMED: Final = {"Referer": f"{DASHBOARD}/lovelace/0"}

CLIENTS: Final = [
    Check(
        "an `<img>` on any page, without `USERS`",
        embedded({}, closed=False),
        "shown",
    ),
    Check(
        "an `<img>` on a page in `EMBEDORIGINS`, without `USERS`",
        embedded(NAMED, closed=False),
        "shown, and readable by scripts",
    ),
    Check(
        "an `<img>` on a page in `EMBEDORIGINS`",
        embedded(NAMED, closed=True),
        "shown, and readable by scripts",
    ),
    Check(
        "an `<img>` on another page",
        embedded({"Referer": "http://other.example/"}, closed=True),
        "blocked by the browser",
    ),
    Check("an `<img>` on a page that hides its address", embedded({}, closed=True), "blocked by the browser"),
    Check(
        "an `<img>` in a browser that has not logged in",
        embedded(NAMED, closed=True, logged_in=False),
        "refused: login required",
    ),
    Check("a player with a token as the password", player("stream/door", Authorization=BASIC), "the stream"),
    Check(
        "a program with a token",
        player("snapshot/door.jpg", Authorization=f"Bearer {TOKEN}"),
        "the newest picture",
    ),
    Check("a player at the page's address", player("", Authorization=BASIC, Accept="*/*"), "the stream"),
    Check("HEAD", heads, "as GET, without a body"),
    Check("a stream of a silent camera, with `?wait=30s`", late("/stream/late"), "its first picture"),
    Check("a snapshot of a silent camera, with `?wait=30s`", late("/snapshot/late.jpg"), "its first picture"),
    Check(
        "a stream of a camera that does not come in time", never, "404, “no camera 'none'; there are: door”"
    ),
]
