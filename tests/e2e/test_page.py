"""What a user sees: `make run`, a browser, a picture that moves and its label."""

import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import ConsoleMessage, Page, expect, sync_playwright

from tests.parts import ROOT, free_port, get, wait_for

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@dataclass(frozen=True, slots=True)
class Site:
    """A running system: its address, what it printed, and `python -m compose` itself."""

    address: str
    log: Path
    process: psutil.Process


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, clips: Path) -> Iterator[Site]:
    """The whole system as the README starts it, with two cameras."""
    port = free_port()
    log = tmp_path_factory.mktemp("site") / "run.log"
    cameras = f"--camera bikes={clips}/bikes.mp4 --camera phone={clips}/carphone_pristine.mp4"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            ["make", "run", f"ARGS=--port {port} {cameras}"], cwd=ROOT, stdout=output, stderr=output
        ) as process,
    ):
        try:
            wait_for(lambda: b"ready: http://" in log.read_bytes() or process.poll(), 90, "ready")
            assert process.poll() is None, log.read_text()
            compose = child(psutil.Process(process.pid), "compose")
            yield Site(f"http://127.0.0.1:{port}/", log, compose)
            compose.send_signal(signal.SIGINT)
            assert process.wait(15) == 0, log.read_text()
        finally:
            process.terminate()


def child(parent: psutil.Process, module: str) -> psutil.Process:
    """Return the process below `parent` that runs `python -m module`."""
    return next(p for p in parent.children(recursive=True) if ["-m", module] == p.cmdline()[1:3])


@pytest.fixture(params=["desktop", "phone"])
def page(request: pytest.FixtureRequest, chromium: str) -> Iterator[Page]:
    """A page of a browser on each kind of screen."""
    size = {"desktop": (1600, 900), "phone": (360, 740)}[request.param]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser.new_page(viewport={"width": size[0], "height": size[1]})
        browser.close()


def test_a_browser_shows_moving_labelled_pictures_without_an_error(site: Site, page: Page) -> None:
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            errors.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: errors.append(str(error)))

    page.goto(site.address)
    tiles = page.locator("[data-camera]")
    expect(tiles).to_have_count(2)
    phone = page.locator('[data-camera="phone"]')
    expect(phone).to_contain_text("Windsor tie", timeout=20_000)
    expect(phone).to_contain_text("live", ignore_case=True)
    picture = page.locator('[data-camera="bikes"] img').first
    expect(picture).to_be_visible()
    wait_for(lambda: picture.evaluate("image => image.naturalWidth") > 0, 20, "a picture")
    first = picture.screenshot()
    wait_for(lambda: picture.screenshot() != first, 10, "the picture to move")

    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width <= 0, "nothing hangs over the edge"
    assert errors == []


def test_the_root_is_a_stream_for_players_and_a_page_for_browsers(site: Site) -> None:
    player = subprocess.run(
        ["curl", "--silent", "--max-time", "2", site.address], capture_output=True, check=False
    ).stdout

    assert player.startswith(b"--frame\r\nContent-Type: image/jpeg\r\n")
    assert player.count(b"\r\n--frame\r\n") > 10
    assert get(f"{site.address}snapshot/bikes.jpg").startswith(b"\xff\xd8")


def test_a_killed_service_comes_back_by_itself(site: Site) -> None:
    before = site.log.read_text().count("is ready")

    child(site.process, "consumer").kill()

    def moving() -> bool:
        first = get(f"{site.address}snapshot/bikes.jpg")
        time.sleep(0.2)
        return get(f"{site.address}snapshot/bikes.jpg") != first

    wait_for(lambda: site.log.read_text().count("is ready") > before, 30, "the consumer to be ready again")
    wait_for(moving, 20, "the picture to move again")
    assert "consumer" in site.log.read_text()
