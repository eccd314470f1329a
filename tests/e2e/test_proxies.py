"""The README's proxies in front of real video servers: nginx and Caddy, with the README's own text."""

import itertools
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka import Producer
from playwright.sync_api import Browser, expect
from websockets.exceptions import InvalidStatus

from tests.e2e.browsing import expect_live_video, keep, open_page
from tests.e2e.test_access import PASSWORD, certificate, log_in, users
from tests.films import Camera, Films
from tests.parts import Process, Service, embedded_broker, free_port, wait_for
from tests.video.fakes import grey
from tests.video.test_docs import README, blocks
from tests.visitor import Visitor, read_part

(NGINX,) = blocks("nginx")
(CADDY,) = blocks("caddy")
SERVER = "127.0.0.1:30163"
HTML = "text/html,application/xhtml+xml"
SIZES = itertools.count(64, 2)
REFUSED = ("403", "426", "WebSocket connection")
"""Chromium's own messages about a socket that does not open."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Two video servers: one below /cameras, for ann, who trusts the proxies, and one that is open to all."""

    closed: Service
    open: Service
    closed_at: str
    open_at: str
    kafka: Producer

    def send(self) -> bytes:
        """Publish one frame of the camera `still`, and return its JPEG, which differs from all before."""
        jpeg = grey(width=next(SIZES))
        self.kafka.produce("videodisplay", key=b"still", value=jpeg)
        self.kafka.flush(10)
        return jpeg


@dataclass(frozen=True, slots=True)
class Proxied:
    """A page behind a proxy."""

    page: str
    cafile: str | None = None

    @property
    def is_closed(self) -> bool:
        """Whether it needs a login."""
        return self.page.endswith("/cameras/")

    def visitor(self) -> Visitor:
        """Return a visitor, who has logged in where that is necessary."""
        visitor = Visitor(self.page, self.cafile)
        if self.is_closed:
            assert visitor.log_in("ann", PASSWORD) == self.page
        return visitor


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The servers, with `door`, which moves, and `still`, which sends only what a test sends."""
    folder = tmp_path_factory.mktemp("servers")
    file = folder / "users.json"
    users(file, "add", "ann")
    with ExitStack() as stack:
        bootstrap, _ = stack.enter_context(embedded_broker(folder))

        def start(tag: str, **variables: str) -> tuple[Service, str]:
            address = f"127.0.0.1:{free_port()}"
            settings = {"KAFKAPORT": bootstrap, "DISPLAYPORT": address, "NOSIGNALAFTER": "1h", **variables}
            return stack.enter_context(Service("video", settings, folder, tag)), address

        closed, closed_at = start("-closed", ROOTPATH="/cameras", TRUSTEDPROXIES="127.0.0.1", USERS=str(file))
        opened, open_at = start("-open")
        stack.enter_context(Films(bootstrap, [Camera("door")]))
        closed.ready()
        opened.ready()
        kafka = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0})
        yield Servers(closed, opened, closed_at, open_at, kafka)


def without(header: str, text: str) -> str:
    """Return a text for nginx without the lines about a header, given by the beginning of its name."""
    return re.sub(f"^ *proxy_set_header {header}.*\n", "", text, flags=re.MULTILINE)


def run(stack: ExitStack, command: list[str], log: Path, proxied: Mapping[str, Proxied]) -> None:
    """Start a proxy, and wait until it answers at all its addresses."""
    process = stack.enter_context(Process(command, {"HOME": str(log.parent)}, log))

    def answers(each: Proxied) -> bool:
        try:
            return Visitor(each.page, each.cafile).ask("page/icon.svg").status == 200
        except OSError:
            return False

    for name, each in proxied.items():
        wait_for(lambda: answers(each), 30, f"{name}: {process.text}")  # noqa: B023


@pytest.fixture(scope="module")
def behind_nginx(
    servers: Servers, nginx: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Proxied]]:
    """Pages behind one nginx, by how the README's text was changed."""
    folder = tmp_path_factory.mktemp("nginx")
    cert, key = certificate(folder)
    below = NGINX.replace(SERVER, servers.closed_at)
    root = NGINX.replace("/cameras/", "/").replace(SERVER, servers.open_at)
    texts = {
        "below a path": below,
        "below a path that it strips": below.replace(f"{servers.closed_at};", f"{servers.closed_at}/;"),
        "below a path, over HTTPS": f"ssl_certificate {cert}; ssl_certificate_key {key};\n{below}",
        "at its root": root,
        "below a path, with X-Forwarded-Host": without("Host", below),
        "at its root, without X-Forwarded headers": without("X-Forwarded-", root),
        "that changes Host": without("Host", without("X-Forwarded-Host", root)),
        "that is not trusted": without("Host", root),
        "without an upgrade": without("Upgrade", root),
    }
    proxied, blocks = {}, ""
    for name, text in texts.items():
        port, tls = free_port(), "ssl_certificate" in text
        blocks += f"server {{\nlisten 127.0.0.1:{port}{' ssl' if tls else ''};\n{text}}}\n"
        page = (
            f"http{'s' if tls else ''}://127.0.0.1:{port}{'/cameras/' if text.find('/cameras/') > 0 else '/'}"
        )
        proxied[name] = Proxied(page, str(cert) if tls else None)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = f"daemon off;\nuser root;\npid {folder}/pid;\nevents {{}}\n"
    (folder / "nginx.conf").write_text(f"{main}http {{\naccess_log off;\n{temporary}{blocks}}}\n")
    with ExitStack() as stack:
        command = [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
        run(stack, command, folder / "nginx.log", proxied)
        yield proxied


@pytest.fixture(scope="module")
def behind_caddy(
    servers: Servers, caddy: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Proxied]]:
    """Pages behind one Caddy, by how the README's text was changed."""
    folder = tmp_path_factory.mktemp("caddy")
    (below,) = re.findall(r"`(reverse_proxy /cameras\* [^`]*)`", README)
    (root,) = re.findall(r"reverse_proxy .*", CADDY)
    (host,) = re.findall(r"\S+(?= {)", CADDY)
    texts = {
        "below a path, over HTTPS": (CADDY.replace(root, below), servers.closed_at, "https"),
        "at its root, over HTTPS": (CADDY, servers.open_at, "https"),
        "at its root": (CADDY, servers.open_at, "http"),
    }
    sites, proxied = "", {}
    for name, (text, server, scheme) in texts.items():
        address = f"{scheme}://127.0.0.1:{free_port()}"
        sites += text.replace(host, address).replace(SERVER, server)
        cafile = str(folder / "pki/authorities/local/root.crt") if scheme == "https" else None
        proxied[name] = Proxied(f"{address}/{'cameras/' if below in text else ''}", cafile)
    main = (
        f"{{\nadmin off\nskip_install_trust\nauto_https disable_redirects\nstorage file_system {folder}\n}}\n"
    )
    (folder / "Caddyfile").write_text(main + sites)
    with ExitStack() as stack:
        run(stack, [caddy, "run", "--config", str(folder / "Caddyfile")], folder / "caddy.log", proxied)
        yield proxied


def expect_everything(servers: Servers, proxied: Proxied) -> None:
    """Check the page, the login's cookies, the WebSocket, a snapshot, and a stream frame by frame."""
    visitor = proxied.visitor()
    if proxied.is_closed:
        without_slash = Visitor(proxied.page.removesuffix("/"), proxied.cafile)
        assert without_slash.ask("", Accept=HTML).url == f"{proxied.page}login"
    cookies = [(cookie.path, cookie.secure) for cookie in visitor.cookies]
    assert cookies == ([("/cameras", proxied.cafile is not None)] * 2 if proxied.is_closed else [])
    assert b"page/app.js" in visitor.get("", Accept=HTML)
    assert b"Feed" in visitor.get("page/app.js")

    first = servers.send()
    visitor.get("snapshot/still.jpg?wait=30s")
    wait_for(lambda: visitor.get("snapshot/still.jpg") == first, 20, "the snapshot")
    with visitor.ask("stream/still") as stream:
        assert stream.readline() == b"--frame\r\n"
        assert read_part(stream) == first
        # The boundary has come, although nothing followed it: nothing is buffered.
        second = servers.send()
        assert read_part(stream) == second
    assert visitor.watch("still") == second
    with visitor.ask("api/events?camera=door") as events:
        assert events.readline().startswith(b"retry:")


@pytest.mark.parametrize(
    "how",
    [
        "below a path",
        "below a path that it strips",
        "below a path, over HTTPS",
        "below a path, with X-Forwarded-Host",
        "at its root",
        "at its root, without X-Forwarded headers",
    ],
)
def test_everything_works_behind_nginx(servers: Servers, behind_nginx: dict[str, Proxied], how: str) -> None:
    expect_everything(servers, behind_nginx[how])


@pytest.mark.parametrize("how", ["below a path, over HTTPS", "at its root, over HTTPS", "at its root"])
def test_everything_works_behind_caddy(servers: Servers, behind_caddy: dict[str, Proxied], how: str) -> None:
    expect_everything(servers, behind_caddy[how])


HOW = {
    "that changes Host": "proxy_set_header Host $http_host;",
    "that is not trusted": "set TRUSTEDPROXIES=127.0.0.1",
}


@pytest.mark.parametrize("how", HOW)
def test_where_the_host_changes_the_answer_and_the_log_say_what_helps(
    servers: Servers, behind_nginx: dict[str, Proxied], how: str
) -> None:
    visitor = behind_nginx[how].visitor()

    with pytest.raises(InvalidStatus) as refused:
        visitor.watch("door")

    assert refused.value.response.status_code == 403
    assert HOW[how].encode() in refused.value.response.body
    assert "requests from pages of other sites are not allowed: the page is at" in servers.open.text
    with visitor.ask("login", {"name": "ann", "password": PASSWORD}) as answer:
        assert answer.status == 403
        assert HOW[how].encode() in answer.read()
    assert visitor.get("snapshot/door.jpg?wait=30s").startswith(b"\xff\xd8")


def test_chromium_shows_the_page_below_a_path(behind_nginx: dict[str, Proxied], browser: Browser) -> None:
    address = behind_nginx["below a path, over HTTPS"].page
    with open_page(browser, f"{address}?camera=door", ignore_https_errors=True) as page:
        expect(page).to_have_url(f"{address}login?next=%2Fcameras%2F%3Fcamera%3Ddoor")
        log_in(page, "ann")
        expect(page).to_have_url(f"{address}?camera=door")
        expect_live_video(page, "door")
        expect(page.locator(".log-label").first).to_be_visible(timeout=60_000)


@pytest.mark.parametrize(
    ("how", "text"), [*HOW.items(), ("without an upgrade", "proxy_set_header Upgrade $http_upgrade;")]
)
def test_chromium_shows_what_helps(
    servers: Servers, behind_nginx: dict[str, Proxied], browser: Browser, how: str, text: str
) -> None:
    with open_page(browser, behind_nginx[how].page, expected=REFUSED) as page:
        message = page.locator("#message")
        expect(message.get_by_role("heading")).to_be_visible(timeout=30_000)
        expect(message).to_contain_text(text)
        expect(page.locator("#banner")).to_contain_text("No connection to the server")
        keep(page, f"behind a proxy {how}")
    assert "headers Upgrade and Connection" in servers.open.text or how in HOW
