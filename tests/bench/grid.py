"""The page with sixteen cameras in a real browser: the frames drawn, and the time of the page's thread."""

import re
import shutil
import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from playwright.sync_api import Page, sync_playwright

from tests.bench.figures import Figure, Measured
from tests.bench.pairs import rounds
from tests.e2e.browsing import FLAGS
from tests.films import FILMS, Camera, Films
from tests.parts import Service, embedded_broker, free_port

_CAMERAS: Final = 16
_RATE: Final = 15.0
_SECONDS: Final = 2.0  # per round
_LOOKS: Final = 4  # per round

DRAWN: Final = Figure("page, share of the frames drawn", "x")
SPENT: Final = Figure("page, its thread's time per frame", "ms")
FIGURES: Final = (DRAWN, SPENT)


def measure() -> list[Measured]:
    """Return the share of the frames that is drawn, and the page's processor time per frame."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("  no figures of the page: Chromium is not installed")
        return []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        bootstrap, _ = stack.enter_context(embedded_broker(folder))
        port = free_port()
        settings = {"KAFKAPORT": bootstrap, "DISPLAYPORT": f"127.0.0.1:{port}"}
        video = stack.enter_context(Service("video", settings, folder))
        cameras = [Camera(f"camera {number}", FILMS[number % 3]) for number in range(_CAMERAS)]
        stack.enter_context(Films(bootstrap, cameras, _RATE))
        video.ready()
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 2560, "height": 1440})
        page.goto(f"http://127.0.0.1:{port}/")
        page.locator(".tile").nth(_CAMERAS - 1).wait_for()
        page.wait_for_timeout(5_000)
        watched = list(_watch(page))
        browser.close()
    against = f"{_CAMERAS} cameras x {_RATE:g} fps in view in Chromium without a GPU, all cores shared"
    each = [1000 * spent / (drawn * _CAMERAS * _SECONDS) for drawn, spent in watched]
    return [DRAWN.alone([drawn / _RATE for drawn, _ in watched], against), SPENT.alone(each, against)]


def _watch(page: Page) -> Iterator[tuple[float, float]]:
    """Yield how many frames per second a camera drew, and the processor time of the page's thread in s."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))

    for _ in rounds("grid"):
        begun, rates = spent(), list[float]()
        for _ in range(_LOOKS):
            page.wait_for_timeout(1000 * _SECONDS / _LOOKS)
            texts = page.locator(".drawn").all_text_contents()
            rates += [float(found[0]) if (found := re.search(r"\d+", text)) else 0.0 for text in texts]
        yield min(_RATE, statistics.mean(rates)), spent() - begun
