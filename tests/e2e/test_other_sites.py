"""Pictures on the pages of other sites: a dashboard with `<img>`, in both browsers."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from playwright.sync_api import Browser, Page

from tests.e2e import test_wall
from tests.e2e.browsing import FLAGS, open_page
from tests.e2e.firefox import Firefox
from tests.e2e.test_access import PASSWORD, certificate, log_in, start
from tests.parts import free_port, wait_for

PLAIN = '<img src="{0}stream/door?wait=30s"><img src="{0}snapshot/door.jpg?wait=30s">'
READABLE = '<img src="{0}stream/door?wait=30s" crossorigin="anonymous">'
WIDTHS = "[...document.images].map(({ complete, naturalWidth }) => naturalWidth || complete - 1)"
"""The width of each picture, as far as it has come; -1 while it is loading, and 0 if it is refused."""
PIXELS = """(() => {
  const brush = new OffscreenCanvas(32, 18).getContext("2d");
  brush.drawImage(document.images[2], 0, 0, 32, 18);
  return brush.getImageData(0, 0, 32, 18).data.join();
})()"""
LOG_IN = """(() => {
  const request = new XMLHttpRequest();
  request.open("POST", "login", false);
  request.setRequestHeader("Accept", "text/html");
  request.setRequestHeader("Content-Type", "application/x-www-form-urlencoded");
  request.send(new URLSearchParams({ name: "ann", password: "PASSWORD" }));
  return request.status;
})()""".replace("PASSWORD", PASSWORD)


@contextmanager
def dashboard(content: str, port: int, referrer: str = "strict-origin-when-cross-origin") -> Iterator[None]:
    """A page of another site, which accepts only pictures that may be shown on it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
            self.send_header("Referrer-Policy", referrer)
            self.end_headers()
            self.wfile.write(f"<!doctype html><link rel=icon href=data:,>{content}".encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def expect_moving(page: Page | Firefox) -> None:
    """Check that the page can read its third picture, and that it moves."""
    first = page.evaluate(PIXELS)
    wait_for(lambda: page.evaluate(PIXELS) != first, 20, "the picture to move")


def show(page: Page | Firefox, address: str) -> list[int]:
    """Open a dashboard, and return its pictures' widths; its streams never end loading."""
    if isinstance(page, Firefox):
        page.evaluate(f"location.assign({json.dumps(address)})")
    else:
        page.goto(address, wait_until="commit")
    there = f"location.href === {json.dumps(address)} && document.readyState !== 'loading' && {WIDTHS}"
    return list(
        wait_for(lambda: -1 not in (page.evaluate(there) or [-1]) and page.evaluate(WIDTHS), 30, there)
    )


def test_without_a_login_every_page_can_show_pictures_and_those_that_are_named_read_them(
    browser: Browser, firefox: str, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        named, unnamed = free_port(), free_port()
        origin = f"http://localhost:{named}"
        site = test_wall.start(stack, tmp_path, free_port(), ["door"], EMBEDORIGINS=origin)
        for port in (named, unnamed):
            stack.enter_context(dashboard((PLAIN + READABLE).format(site.address), port))
        other = stack.enter_context(Firefox(firefox, tmp_path))
        page = stack.enter_context(open_page(browser, "about:blank", expected=("CORS", "ERR_FAILED")))

        for each in (page, other):
            assert show(each, f"{origin}/") == [1280, 1280, 1280]
            expect_moving(each)
        assert other.complaints == []
        for each in (page, other):
            assert show(each, f"http://localhost:{unnamed}/") == [1280, 1280, 0]


def test_with_a_login_only_the_pages_that_are_named_and_do_not_hide_their_address_can(
    browser: Browser, firefox: str, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        named, hidden, unnamed = free_port(), free_port(), free_port()
        origins = [f"http://127.0.0.1:{port}" for port in (named, hidden)]
        site = start(stack, tmp_path, ["door"], EMBEDORIGINS=",".join(origins))
        content = PLAIN.format(site.address)
        stack.enter_context(dashboard(content, named))
        stack.enter_context(dashboard(content, hidden, "no-referrer"))
        stack.enter_context(dashboard(content, unnamed))
        other = stack.enter_context(Firefox(firefox, tmp_path))
        page = stack.enter_context(open_page(browser, site.address, expected=("NotSameOrigin", "401")))
        log_in(page, "ann")
        page.wait_for_url(site.address)
        other.open(site.address)
        assert other.evaluate(LOG_IN) == 200
        for each in (page, other):
            assert show(each, f"http://127.0.0.1:{named}/") == [1280, 1280]
            assert show(each, f"http://127.0.0.1:{hidden}/") == [0, 0]
            assert show(each, f"http://127.0.0.1:{unnamed}/") == [0, 0]


def test_with_a_login_over_https_a_named_page_of_another_host_can_if_the_browser_allows_its_cookies(
    browser: Browser, chromium: str, tmp_path: Path
) -> None:
    cert, key = certificate(tmp_path)
    profile = tmp_path / "chromium"
    (profile / "Default").mkdir(parents=True)
    settings = {"profile": {"cookie_controls_mode": 0}}  # Debian's default is to block them
    (profile / "Default/Preferences").write_text(json.dumps(settings))
    with ExitStack() as stack:
        port = free_port()
        origin = f"http://localhost:{port}"
        site = start(stack, tmp_path, ["door"], EMBEDORIGINS=origin, TLSCERT=str(cert), TLSKEY=str(key))
        address = site.address.replace("http", "https")
        stack.enter_context(dashboard(PLAIN.format(address), port))
        page = stack.enter_context(
            browser.browser_type.launch_persistent_context(
                profile, executable_path=chromium, args=FLAGS, ignore_https_errors=True
            )
        ).new_page()
        page.goto(address)
        log_in(page, "ann")
        page.wait_for_url(address)

        assert show(page, f"{origin}/") == [1280, 1280]
