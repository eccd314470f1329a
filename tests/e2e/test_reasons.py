"""The page says why a camera shows no picture: it has never come, or its signal was lost."""

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka import Producer
from playwright.sync_api import Browser, Page, expect

from pipeline.wire.status import State, Status, Subject, encode_key, encode_value
from tests.e2e.browsing import SIZES, expect_accessible, expect_live_video, keep, open_page, tile
from tests.e2e.test_wall import axe
from tests.films import Camera, Films
from tests.parts import Process, Service, embedded_broker, free_port, reads, wait_for

__all__ = ["axe"]

REASON = "the camera refuses the user name or the password: write %23 for #, %40 for @ and %2F for / in it"
LONG = f"{REASON}; {'very ' * 60}<b>long</b>"


@dataclass(slots=True)
class Site:
    """A video server, two cameras with films, and what their producers would report."""

    address: str
    films: Films
    broker: Process
    writer: Producer

    def report(self, camera: str, state: State, reason: str | None = None) -> None:
        """Write a record."""
        status = Status(Subject("producer", "host", camera), state, reason, time.time())
        self.writer.produce("status", key=encode_key(status.subject), value=encode_value(status))
        self.writer.flush(5)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A video server with the cameras `yard`, which sends, and `door`, which does not."""
    with ExitStack() as stack:
        bootstrap, broker = stack.enter_context(embedded_broker(tmp_path))
        address = f"127.0.0.1:{free_port()}"
        variables = {"KAFKAPORT": bootstrap, "DISPLAYPORT": address, "NOSIGNALAFTER": "1s"}
        video = stack.enter_context(Service("video", variables, tmp_path))
        films = Films(bootstrap, [Camera("yard"), Camera("door", running=False)])
        stack.enter_context(films)
        video.ready()
        yield Site(f"http://{address}/", films, broker, Producer({"bootstrap.servers": bootstrap}))


def height(page: Page, camera: str) -> float:
    """Return the height of a tile."""
    box = tile(page, camera).bounding_box()
    assert box
    return box["height"]


def test_a_camera_that_never_came_has_a_tile_with_the_reason_and_then_its_picture(
    site: Site, browser: Browser
) -> None:
    with open_page(browser, site.address) as page:
        expect_live_video(page, "yard")
        expect(page.locator(".tile")).to_have_count(1)

        site.report("door", "connecting", "not open yet")
        shown = tile(page, "door")
        expect(shown).to_have_attribute("data-state", "connecting")
        expect(shown.locator(".veil-words")).to_have_text(re.compile(r"^Connecting since \d\d:\d\d:\d\d$"))
        before = height(page, "door")
        site.report("door", "no-signal", LONG)

        expect(shown).to_have_attribute("data-state", "never-seen")
        expect(shown.locator(".veil-words")).to_have_text("No picture yet")
        reason = shown.locator(".veil-reason")
        expect(reason).to_contain_text(REASON[1:])
        assert height(page, "door") == before, "nothing jumps"
        expect(shown.locator("canvas")).to_be_hidden()
        lines = reason.evaluate("each => each.clientHeight / parseFloat(getComputedStyle(each).lineHeight)")
        assert round(lines) == 2
        expect(shown.locator("a.open")).to_have_attribute("title", re.compile("<b>long</b>"))
        expect(page.locator("#news")).to_contain_text("door: No picture yet, the camera refuses")
        expect(page.locator("#summary")).to_contain_text("1 never seen")
        keep(page, "never-seen")

        site.films.cameras["door"].running = True
        expect_live_video(page, "door")
        expect(shown.locator("canvas")).to_be_visible()
        expect(shown.locator("a.open")).to_have_attribute("title", "")


def test_a_lost_signal_has_the_producers_reason(site: Site, browser: Browser) -> None:
    site.films.cameras["door"].running = True
    with open_page(browser, site.address) as page:
        expect_live_video(page, "door")

        site.films.cameras["door"].running = False
        site.report("door", "no-signal", "connection refused")

        shown = tile(page, "door")
        expect(shown).to_have_attribute("data-state", "no-signal", timeout=60_000)
        expect(shown.locator(".veil-words")).to_have_text(re.compile(r"^No signal since \d\d:\d\d:\d\d$"))
        expect(shown.locator(".veil-reason")).to_have_text("Connection refused")


def test_without_kafka_the_page_says_so_and_why(tmp_path: Path, browser: Browser) -> None:
    address, nowhere = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    with Service("video", {"KAFKAPORT": nowhere, "DISPLAYPORT": address}, tmp_path) as video:
        wait_for(lambda: reads(f"http://{address}/api/cameras"), 30, "the page")
        with open_page(browser, f"http://{address}/") as page:
            message = page.locator("#message")

            expect(message.locator("h2")).to_have_text("No frames from Kafka")
            why = f"Kafka does not answer at {nowhere} (connection refused): "
            expect(message.locator(".lead")).to_contain_text(why, timeout=60_000)
            assert why in video.text
            keep(page, "no-kafka")


@pytest.mark.parametrize("size", SIZES)
def test_the_single_view_shows_the_full_reason(site: Site, browser: Browser, size: str) -> None:
    site.report("door", "no-signal", REASON)
    with open_page(browser, f"{site.address}?camera=door", SIZES[size]) as page:
        shown = tile(page, "door")
        reason = shown.locator(".veil-reason")

        expect(reason).to_have_text(REASON[0].upper() + REASON[1:])
        screen, box = shown.locator(".screen").bounding_box(), reason.bounding_box()
        assert screen
        assert box
        assert screen["y"] <= box["y"]
        assert box["y"] + box["height"] <= screen["y"] + screen["height"]
        assert reason.evaluate("each => each.scrollHeight <= each.clientHeight + 1"), "nothing is cut off"
        keep(page, f"never-seen-{size}")


def test_a_reason_that_is_too_long_for_a_phone_can_be_scrolled_to_both_ends(
    site: Site, browser: Browser
) -> None:
    site.report("door", "no-signal", f"{LONG} {'x' * 400}")
    with open_page(browser, f"{site.address}?camera=door", SIZES["phone"]) as page:
        veil = tile(page, "door").locator(".veil")
        expect(veil).to_be_visible()
        box = veil.bounding_box()
        assert box

        for end, part in ((0, ".mark"), (10_000, ".veil-reason")):
            veil.evaluate("(each, top) => each.scrollTo(0, top)", end)
            shown = veil.locator(part).bounding_box()
            assert shown
            if end:
                assert shown["y"] + shown["height"] <= box["y"] + box["height"], "the end is in sight"
            else:
                assert shown["y"] >= box["y"], "the beginning is in sight"


@pytest.mark.usefixtures("axe")
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_it_is_accessible(site: Site, browser: Browser, scheme: str) -> None:
    site.report("door", "no-signal", REASON)
    site.report("gate", "connecting")
    site.report("roof", "paused")
    with open_page(browser, site.address, scheme="light" if scheme == "light" else "dark") as page:
        expect(page.locator(".tile")).to_have_count(4, timeout=60_000)
        expect(tile(page, "door")).to_have_attribute("data-state", "never-seen")
        expect_accessible(page)
