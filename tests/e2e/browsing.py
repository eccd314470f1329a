"""A browser with a page that must have nothing to complain about, and what tests look for on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

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
"""Where the pictures of the page are kept, to be looked at after the run."""

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
    """Open a page in a context of its own; what it complains of must contain one of `expected`."""
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not any(text in message.text for text in expected):
            errors.append(message.text)

    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **options)
    page = context.new_page()
    page.on("console", note)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    try:
        yield page
        page.wait_for_timeout(100)  # in which late messages arrive
    finally:
        context.close()
    assert errors == []


def tile(page: Page, camera: str) -> Locator:
    """Return a camera's tile, scrolled into view: only what is in view is sent."""
    found = page.locator(".tile").filter(has=page.get_by_role("heading", name=camera, exact=True))
    found.scroll_into_view_if_needed(timeout=20_000)
    return found


def expect_live_video(page: Page, camera: str) -> None:
    """Check that a tile says that it is live, and that its picture moves."""
    shown = tile(page, camera)
    expect(shown).to_have_attribute("data-state", "live", timeout=20_000)
    expect(shown.locator(".veil")).to_be_hidden()
    expect_moving(shown)


def expect_moving(shown: Locator) -> None:
    """Check that the picture of a tile moves."""
    canvas = shown.locator("canvas")
    first = canvas.screenshot()
    wait_for(lambda: canvas.screenshot() != first, 10, "the picture to move")


def keep(page: Page, name: str) -> Path:
    """Keep a picture of the page as it is now."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / f"{name}.png"
    page.screenshot(path=path)
    return path


def expect_accessible(page: Page) -> None:
    """Check that axe finds nothing."""
    page.evaluate((ROOT / "tests/node_modules/axe-core/axe.min.js").read_text())
    found = page.evaluate("axe.run().then(({violations}) => violations)")
    told = [f"{each['id']}: {[node['html'][:120] for node in each['nodes'][:3]]}" for each in found]
    assert told == []
