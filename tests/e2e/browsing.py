"""A browser whose page must not log any errors, and what tests look for on the page."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

from tests.parts import ROOT, wait_for

FLAGS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
]
SIZES: Final = {"desktop": (1600, 900), "phone": (360, 740)}
PICTURES: Final = ROOT / "build/pictures"
"""The folder for pictures of the page, to be looked at after the run."""

FORGOTTEN: Final = "/api/events/"
"""Part of the URL of a snapshot, which the server may drop between announcing and serving it."""

PIXELS: Final = """canvases => canvases.map((canvas) => {
  const small = new OffscreenCanvas(32, 18);
  const brush = small.getContext("2d");
  brush.drawImage(canvas, 0, 0, 32, 18);
  const { data } = brush.getImageData(0, 0, 32, 18);
  return data.some((value, at) => at % 4 < 3 && value > 0) ? data.join() : "";
})"""
"""What canvases show, scaled down; empty if nothing was drawn."""

Scheme = Literal["dark", "light"]


@contextmanager
def open_page(
    browser: Browser,
    address: str,
    size: tuple[int, int] = SIZES["desktop"],
    scheme: Scheme = "dark",
    expected: tuple[str, ...] = (),
    **options: Any,
) -> Iterator[Page]:
    """Open a page in its own context; each error that it logs must contain one of `expected`."""
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        text = f"{message.text} {message.location.get('url', '')}"
        if message.type in {"error", "warning"} and not any(part in text for part in (*expected, FORGOTTEN)):
            errors.append(text)

    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **options)
    page = context.new_page()
    page.on("console", note)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    try:
        yield page
        page.wait_for_timeout(100)  # late messages arrive now
    finally:
        context.close()
    assert not errors, f"errors in the browser: {errors}"


class Line:
    """A proxy at `address` between a browser and a server: passes `rate` bytes/s to the browser."""

    def __init__(self, server: str) -> None:
        parts = urlsplit(server)
        self.rate = float("inf")
        self.accepts = True
        self._server = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = []
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, trace: TracebackType | None) -> None:
        with suppress(OSError):  # wakes up a waiting accept
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Close all connections; new ones are accepted, unless `accepts` is False."""
        ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                browser, _ = self._listener.accept()
                if self.accepts:
                    self._join(browser)
                else:
                    browser.close()

    def _join(self, browser: socket.socket) -> None:
        server = socket.socket()
        for end in (browser, server):  # data waits at the server, not here
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8_192)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
        server.connect(self._server)
        self._ends += [browser, server]
        threading.Thread(target=self._pass, args=(browser, server), daemon=True).start()
        threading.Thread(target=self._pass, args=(server, browser, True), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, slow: bool = False) -> None:
        with source, suppress(OSError):
            while data := source.recv(4_096):
                target.sendall(data)
                if slow:
                    time.sleep(len(data) / self.rate)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)


def tile(page: Page, camera: str) -> Locator:
    """Return a camera's tile, scrolled into view: only what is in view is sent."""
    found = page.locator(".tile").filter(has=page.get_by_role("heading", name=camera, exact=True))
    found.scroll_into_view_if_needed(timeout=60_000)
    return found


def expect_live_video(page: Page, camera: str) -> None:
    """Check that a tile says that it is live, and that its picture moves."""
    shown = tile(page, camera)
    expect(shown).to_have_attribute("data-state", "live", timeout=60_000)
    expect(shown.locator(".veil")).to_be_hidden()
    expect_moving(shown)


def expect_moving(shown: Locator) -> None:
    """Check that the pictures of all these tiles move."""
    canvases = shown.locator("canvas")
    first = canvases.evaluate_all(PIXELS)
    assert first, "no picture was drawn"

    def still() -> list[int]:
        now = canvases.evaluate_all(PIXELS)
        return [at for at, pixels in enumerate(now) if pixels in {first[at], ""}]

    wait_for(lambda: not still(), 20, "all pictures to move")


def hide(page: Page, hidden: bool) -> None:
    """Make the page believe that its tab is hidden or visible: without a screen, browsers hide no tabs."""
    page.evaluate(
        """hidden => {
          Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def picture(name: str) -> Path:
    """Return the path of a picture of the page."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    return PICTURES / f"{name}.png"


def keep(page: Page, name: str) -> None:
    """Save a picture of the page as it is now."""
    page.screenshot(path=picture(name))


def expect_accessible(page: Page) -> None:
    """Check that axe finds nothing."""
    page.evaluate((ROOT / "tests/node_modules/axe-core/axe.min.js").read_text())
    found = page.evaluate("axe.run().then(({violations}) => violations)")
    faults = [f"{each['id']}: {[node['html'][:120] for node in each['nodes'][:3]]}" for each in found]
    assert faults == []
