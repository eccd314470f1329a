"""The page with sixteen cameras in a real browser: what is drawn, and what that costs the page's thread."""

import re
import shutil
import statistics
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from playwright.sync_api import Page, sync_playwright

from tests.bench.figures import Figure
from tests.e2e.browsing import FLAGS
from tests.films import FILMS, Camera, Films
from tests.parts import Service, embedded_broker, free_port

_CAMERAS: Final = 16
_RATE: Final = 15.0
_LOOKS: Final = 20
_BETWEEN: Final = 500  # ms


def measure() -> list[Figure]:
    """Return the share of the frames that is drawn, and the page's own time for each."""
    beside = f"{_CAMERAS} cameras x {_RATE:g} fps in view in Chromium without a GPU, both cores shared"
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
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 2560, "height": 1440})
        page.goto(f"http://127.0.0.1:{port}/")
        page.locator(".tile").nth(_CAMERAS - 1).wait_for()
        page.wait_for_timeout(5_000)
        drawn, spent = _watch(page)
        browser.close()
    seconds = _LOOKS * _BETWEEN / 1000
    return [
        Figure("page, share of the frames drawn", drawn / _RATE, "x", beside),
        Figure(
            "page, its thread's time per frame", 1000 * spent / (drawn * _CAMERAS * seconds), "ms", beside
        ),
    ]


def _watch(page: Page) -> tuple[float, float]:
    """Return how many frames a second a camera drew, and the s of processor time of the page's thread."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))

    begun, rates = spent(), []
    for _ in range(_LOOKS):
        page.wait_for_timeout(_BETWEEN)
        texts = page.locator(".drawn").all_text_contents()
        rates += [float(found[0]) if (found := re.search(r"\d+", text)) else 0.0 for text in texts]
    return min(_RATE, statistics.mean(rates)), spent() - begun
