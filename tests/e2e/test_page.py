"""The whole system in a browser: `make run`, moving pictures, and their labels."""

import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from pipeline.wire import picture
from tests.e2e.browsing import SIZES, Scheme, expect_live_video, keep, open_page, tile
from tests.parts import ROOT, free_port, get, wait_for
from tests.processes import child
from tests.producer.http_camera import HttpCamera


@dataclass(frozen=True, slots=True)
class Site:
    """A running system: its address, its output, the process of `python -m compose`, and its camera door."""

    address: str
    log: Path
    process: psutil.Process
    door: HttpCamera


def pictures(film: Path) -> list[bytes]:
    """Return the pictures of a film as JPEGs."""
    reader, found = cv2.VideoCapture(str(film)), list[bytes]()
    while (read := reader.read())[0]:
        found.append(picture.encode(np.asarray(read[1], np.uint8), 85))
    return found


def given(links: dict[str, str]) -> str:
    """Return the options for these cameras."""
    return " ".join(f"--camera {name}={link}" for name, link in links.items())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, clips: Path) -> Iterator[Site]:
    """The whole system, started with the README's command, with three cameras."""
    port = free_port()
    ports = f"--port {port} --training-port {free_port()}"
    log = tmp_path_factory.mktemp("site") / "run.log"
    films = {"bikes": "bikes.mp4", "phone": "carphone_pristine.mp4"}
    links = {name: str(clips / film) for name, film in films.items()}
    with (
        HttpCamera(pictures(clips / "carphone_pristine.mp4")) as door,
        log.open("wb") as output,
        subprocess.Popen(
            [
                "make",
                "run",
                f"ARGS={ports} {given({**links, 'door': door.link})}",
            ],
            cwd=ROOT,
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            wait_for(lambda: b"ready: http://" in log.read_bytes() or process.poll() is not None, 90, "ready")
            assert process.poll() is None, log.read_text()
            compose = child(psutil.Process(process.pid), "compose")
            yield Site(f"http://127.0.0.1:{port}/", log, compose, door)
            compose.send_signal(signal.SIGINT)
            assert process.wait(15) == 0, log.read_text()
        finally:
            process.terminate()


@pytest.fixture(params=["desktop", "phone"])
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    """The size of each kind of screen."""
    return SIZES[request.param]


@pytest.fixture
def scheme() -> Scheme:
    """The user's preferred colours."""
    return "dark"


@pytest.fixture
def page(site: Site, browser: Browser, size: tuple[int, int], scheme: Scheme) -> Iterator[Page]:
    """The page in a browser."""
    with open_page(browser, site.address, size, scheme) as page:
        yield page


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_browser_shows_moving_labelled_pictures(page: Page, size: tuple[int, int], scheme: Scheme) -> None:
    expect(page.locator(".tile")).to_have_count(3)
    phone = tile(page, "phone")
    expect(phone.locator(".label")).to_have_text("Windsor tie", timeout=60_000)
    expect(phone.locator(".score")).to_have_text(re.compile(r"^\d+%$"))
    expect(phone.locator(".state")).to_have_text("Live", ignore_case=True)
    expect(phone.locator(".veil")).to_be_hidden()
    for camera in ("bikes", "phone"):
        expect_live_video(page, camera)
        expect(tile(page, camera).locator(".fps")).to_have_text(re.compile(r"^[1-9]\d*(\.\d)? fps$"))
        expect(tile(page, camera).locator(".age")).to_have_text(re.compile(r"^\d+(\.\d)? m?s old$"))
    expect(page.locator("#banner")).to_be_empty()

    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width <= 0, "the page must not scroll sideways"
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == scheme
    keep(page, f"labelled-{size[0]}-{scheme}")


def test_the_page_works_at_an_ipv6_address(site: Site, browser: Browser, ipv6: str) -> None:
    with open_page(browser, site.address.replace("127.0.0.1", f"[{ipv6}]")) as page:
        expect_live_video(page, "bikes")


def test_a_camera_is_opened_and_closed_with_mouse_and_keyboard(site: Site, page: Page) -> None:
    wall = page.locator("#wall")
    link = tile(page, "bikes").locator("a.open")

    ways: list[Callable[[], None]] = [link.click, lambda: link.press("Enter")]
    for enlarge in ways:
        enlarge()
        expect(wall).to_have_attribute("data-view", "single")
        assert page.url == f"{site.address}?camera=bikes"
        expect(page.locator('.tile[data-camera="phone"]')).to_be_hidden()
        expect_live_video(page, "bikes")
        expect(page.locator(".log-row").first).to_be_visible(timeout=60_000)

        page.keyboard.press("Escape")
        expect(wall).to_have_attribute("data-view", "wall")
        assert page.url == site.address
        expect(page.locator('.tile[data-camera="phone"]')).to_be_visible()
        expect(link).to_be_focused()


def test_the_single_view_shows_recent_labels(page: Page, size: tuple[int, int]) -> None:
    tile(page, "bikes").locator("a.open").click()
    confident = page.locator(".line").filter(has_text=re.compile(r"unicycle.*[4-9]\d%"))

    expect(page.locator(".log-row").nth(12)).to_be_attached(timeout=60_000)
    expect(confident.first).to_be_visible(timeout=60_000)
    keep(page, f"labelled-single-{size[0]}")


def test_a_silent_camera_is_shown_as_such_until_it_is_back(site: Site, page: Page) -> None:
    expect_live_video(page, "door")
    site.door.silent.set()
    try:
        expect(tile(page, "door")).to_have_attribute("data-state", "no-signal", timeout=60_000)
        veil = tile(page, "door").locator(".veil")
        expect(veil).to_be_visible()
        expect(veil.locator(".veil-words")).to_have_text(re.compile(r"^No signal since .*\d\d:\d\d:\d\d$"))
        expect(tile(page, "door").locator(".fps")).to_have_text("0 fps")
        expect(tile(page, "bikes")).to_have_attribute("data-state", "live")
    finally:
        site.door.silent.clear()

    expect_live_video(page, "door")
    expect(veil).to_be_hidden()


def test_the_root_is_a_stream_for_players_and_a_page_for_browsers(site: Site) -> None:
    stream = b""
    request = urllib.request.Request(site.address, headers={"Accept": "*/*"})
    deadline = time.monotonic() + 10
    with urllib.request.urlopen(request, timeout=5) as answer:
        while stream.count(b"\r\n--frame\r\n") <= 10 and time.monotonic() < deadline:
            stream += answer.read1(65_536)

    assert stream.startswith(b"--frame\r\nContent-Type: image/jpeg\r\n")
    assert stream.count(b"\r\n--frame\r\n") > 10
    request = urllib.request.Request(site.address, headers={"Accept": "text/html"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.read().startswith(b"<!doctype html>")
    assert get(f"{site.address}snapshot/bikes.jpg").startswith(b"\xff\xd8")


def test_a_killed_service_is_restarted(site: Site) -> None:
    before = len(site.log.read_text())

    child(site.process, "consumer").kill()

    def said(words: str) -> bool:
        return re.search(words, site.log.read_text()[before:]) is not None

    def moving() -> bool:
        first = get(f"{site.address}snapshot/bikes.jpg")
        time.sleep(0.2)
        return get(f"{site.address}snapshot/bikes.jpg") != first

    wait_for(lambda: said("consumer ended with SIGKILL.*; restarting it in"), 10, "its end")
    wait_for(lambda: said("consumer is ready"), 30, "the consumer to be ready again")
    wait_for(moving, 20, "the picture to move again")
