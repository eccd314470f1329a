"""The page with sixteen cameras: live pictures, states, removed cameras, the single view, the keyboard."""

import re
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pipeline.wire.predictions import Prediction, Result
from tests.conftest import missing
from tests.e2e.browsing import (
    SIZES,
    Line,
    Scheme,
    expect_accessible,
    expect_live_video,
    expect_moving,
    hide,
    keep,
    open_page,
    tile,
)
from tests.films import FILMS, Camera, Films, bunny
from tests.parts import ROOT, Process, Service, embedded_broker, free_port, reads, wait_for

HTML = '<img src=x onerror="document.title=1">/né & “co” 🎥'
NAMES = ["door", "yard", "gate", "hall", "roof", *(f"camera {number:02}" for number in range(1, 11)), HTML]
LARGE = (2560, 1440)
BOX = (300, 120, 200, 150)
BROKEN = ("WebSocket", "ERR_")
"""Chromium's own messages about a connection that ends."""


def street(seq: int) -> Sequence[Prediction]:
    """Return the predictions of two models: one label, and two labels with boxes."""
    boxes = (Result("bicycle", 0.83, BOX), Result("person", 0.71, BOX))
    return [
        Prediction("imagenet_1", (Result("unicycle", 0.72),), seq, 47),
        Prediction("detect_2", boxes, seq, 40),
    ]


@dataclass(frozen=True, slots=True)
class Site:
    """A video server with its cameras: its address and the parts that a test can stop."""

    address: str
    films: Films
    broker: Process
    video: Service
    bootstrap: str = ""

    def sent(self, camera: str = "") -> float:
        """Return the number of pictures of a camera, or of all cameras, that were sent over sockets."""
        only = f'{{camera="{camera}"}}' if camera else ""
        return self.video.metric(f"streamlens_socket_pictures_sent_total{only}")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A video server with sixteen cameras at 15 frames per second."""
    with ExitStack() as stack:
        yield start(stack, tmp_path_factory.mktemp("wall"), free_port())


def start(stack: ExitStack, folder: Path, port: int, names: Sequence[str] = NAMES, **settings: str) -> Site:
    """Start a broker, a video server with these settings and the cameras; they end with the stack."""
    bootstrap, broker = stack.enter_context(embedded_broker(folder))
    address = f"127.0.0.1:{port}"
    variables = {"KAFKAPORT": bootstrap, "DISPLAYPORT": address, **settings}
    video = stack.enter_context(Service("video", variables, folder))
    cameras = [Camera(name, FILMS[number % 3], bunny) for number, name in enumerate(names)]
    for camera in cameras:
        if camera.film == "bikes.mp4":
            camera.labels = street
    films = stack.enter_context(Films(bootstrap, cameras))
    video.ready()
    return Site(f"http://{address}/", films, broker, video, bootstrap)


@pytest.fixture
def wall(site: Site, browser: Browser) -> Iterator[Page]:
    """The page on a desktop screen."""
    with open_page(browser, site.address) as page:
        expect(page.locator(".tile")).to_have_count(16, timeout=60_000)
        yield page


@pytest.fixture(scope="session")
def axe() -> None:
    """Skip the test without axe, which checks whether a page is accessible."""
    if not (ROOT / "tests/node_modules/axe-core/axe.min.js").exists():
        missing("node", "install Node.js 20 or later, and run make test again")


def test_all_cameras_move_over_one_socket(site: Site, browser: Browser) -> None:
    paths: list[str] = []
    with open_page(browser, site.address, LARGE) as page:
        page.on("request", lambda request: paths.append(request.url))

        expect(page.locator(".tile[data-state=live] canvas:visible")).to_have_count(16, timeout=30_000)
        expect_moving(page.locator(".tile"))

        assert site.video.metric("streamlens_sockets ") == 1
        keep(page, "wall-large")
    assert [path for path in paths if "/stream" in path or "/snapshot" in path] == []


def test_each_picture_shows_its_age(wall: Page) -> None:
    for name in ("door", "yard"):
        age = re.compile(r"^\d+(\.\d)? m?s old$")
        expect(tile(wall, name).locator(".age")).to_have_text(age, timeout=60_000)


@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_only_what_is_in_view_is_sent(site: Site, browser: Browser, size: str) -> None:
    with open_page(browser, site.address, SIZES[size]) as page:
        expect(page.locator(".tile")).to_have_count(16, timeout=60_000)
        last = page.locator(".tile").last.get_attribute("data-camera") or ""
        expect_moving(page.locator(".tile").first)
        above = site.sent(last)
        page.wait_for_timeout(500)
        still = site.sent(last)
        tile(page, last)
        wait_for(lambda: site.sent(last) > still, 10, "pictures of the camera that was scrolled into view")

    assert still == above


def test_a_hidden_page_gets_no_pictures(site: Site, browser: Browser) -> None:
    def is_quiet() -> bool:
        before = site.sent()
        page.wait_for_timeout(500)
        return site.sent() == before

    with open_page(browser, site.address) as page:
        expect_live_video(page, "door")

        hide(page, True)
        wait_for(is_quiet, 10, "the pictures to end")
        hide(page, False)

        expect_live_video(page, "door")


def test_a_slow_connection_gets_fewer_pictures_but_no_old_ones(site: Site, browser: Browser) -> None:
    watch = """age => new Promise((done) => {
      const seen = [];
      const options = { characterData: true, subtree: true };
      new MutationObserver(() => seen.push(age.textContent)).observe(age, options);
      setTimeout(() => done(seen), 4000);
    })"""
    with Line(site.address) as line, open_page(browser, f"{line.address}?camera=yard") as page:
        expect_live_video(page, "yard")

        line.rate = 60_000
        page.wait_for_timeout(3_000)  # until the server detects the slow connection
        before, began = site.sent("yard"), time.monotonic()
        shown = tile(page, "yard").locator(".age").evaluate(watch)
        pace = (site.sent("yard") - before) / (time.monotonic() - began)

    found = [re.search(r"([\d.]+) (m?s) old$", words) for words in shown]
    ages = [float(each[1]) / (1000 if each[2] == "ms" else 1) for each in found if each]
    assert len(ages) == len(shown) > 3
    assert max(ages) < 2.5
    assert 0.5 < pace < 8


def test_a_connection_that_breaks_repeatedly_leaves_one_socket(site: Site, browser: Browser) -> None:
    with Line(site.address) as line, open_page(browser, line.address, expected=BROKEN) as page:
        for _ in range(3):
            expect_live_video(page, "door")
            line.cut()
            expect(page.locator("#banner")).to_contain_text("No connection to the server", timeout=10_000)

        expect_live_video(page, "door")
        expect(page.locator("#banner")).to_be_empty()
        wait_for(lambda: site.video.metric("streamlens_sockets ") == 1, 10, "the old sockets to end")


def test_a_dead_camera_is_shown_within_three_seconds_and_comes_back(site: Site, browser: Browser) -> None:
    with open_page(browser, site.address) as page:
        expect_live_video(page, "yard")
        camera, shown = site.films.cameras["yard"], tile(page, "yard")
        shown.evaluate(
            """tile => new MutationObserver(() => { tile.dataset.at ??= Date.now(); })
              .observe(tile, { attributeFilter: ["data-state"] })"""
        )

        camera.running = False
        killed = time.time()
        try:
            expect(shown).to_have_attribute("data-state", "no-signal", timeout=60_000)
            took = float(shown.get_attribute("data-at") or "nan") / 1000 - killed
            expect(shown.locator(".veil-words")).to_have_text(re.compile(r"^No signal since \d\d:\d\d:\d\d$"))
            expect(shown.locator(".fps")).to_have_text("0 fps")
            expect(shown.locator(".pill")).to_be_hidden()
            expect(tile(page, "door")).to_have_attribute("data-state", "live")
            keep(page, "no-signal")
        finally:
            camera.running = True

        expect_live_video(page, "yard")
    assert took < 3


def test_a_removed_camera_leaves_the_page_and_comes_back_fresh(browser: Browser, tmp_path: Path) -> None:
    with ExitStack() as stack:
        site = start(stack, tmp_path, free_port(), ["door", "gate", "yard"], CAMERATTL="5s")
        page = stack.enter_context(open_page(browser, site.address))
        expect_live_video(page, "gate")
        door, gate = site.films.cameras["door"], site.films.cameras["gate"]
        tile(page, "door").locator("a.open").click()
        expect(page.locator("#wall")).to_have_attribute("data-view", "single")
        expect(page.locator(".log-row").first).to_be_visible(timeout=60_000)

        gate.running = False
        expect(page.locator(".tile")).to_have_count(2, timeout=60_000)
        expect(page.locator("#wall")).to_have_attribute("data-view", "single")
        door.running = False
        expect(page.locator("#notice")).to_contain_text("door", timeout=60_000)

        expect(page.locator(".tile")).to_have_count(1)
        expect(page.locator(".tile .name")).to_have_text("yard")
        assert page.url == site.address
        keep(page, "removed")
        door.running = gate.running = True
        expect(page.locator(".tile")).to_have_count(3, timeout=60_000)
        for name in ("door", "gate"):
            expect_live_video(page, name)


@pytest.mark.parametrize(
    ("labels", "state", "words"),
    [
        (lambda _: [Prediction("imagenet_1")], "model-away", "Model away"),
        (lambda seq: [Prediction("imagenet_1", (Result("suit", 0.6),), seq, 60_000)], "stale", "Label stale"),
        (lambda _: [], "live", "Live"),
    ],
)
def test_the_state_of_the_models_is_shown(
    site: Site, wall: Page, labels: Callable[[int], Sequence[Prediction]], state: str, words: str
) -> None:
    camera, shown = site.films.cameras["gate"], tile(wall, "gate")
    before, camera.labels = camera.labels, labels
    try:
        expect(shown).to_have_attribute("data-state", state, timeout=10_000)
        expect(shown.locator(".state")).to_contain_text(words)
        expect(shown.locator(".label-age")).to_have_text(["1 min old" if state == "stale" else ""])
        expect(shown.locator(".veil")).to_be_hidden()
        expect_moving(shown)
    finally:
        camera.labels = before


def test_an_absent_broker_is_distinguished_from_a_dead_camera(site: Site, wall: Page) -> None:
    expect_live_video(wall, "door")

    site.broker.signal(signal.SIGSTOP)
    try:
        shown = tile(wall, "door")
        expect(shown).to_have_attribute("data-state", "broker-away", timeout=60_000)
        expect(shown.locator(".veil-words")).to_have_text(re.compile(r"^Broker away since \d\d:\d\d:\d\d$"))
    finally:
        site.broker.signal(signal.SIGCONT)

    expect_live_video(wall, "door")


def test_an_absent_server_is_reported_and_reconnected(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    with ExitStack() as stack:
        site = start(stack, tmp_path, port, ["door"])
        with open_page(browser, site.address, expected=BROKEN) as page:
            expect_live_video(page, "door")

            site.video.kill()
            expect(page.locator("#banner")).to_contain_text("No connection to the server", timeout=10_000)
            expect(tile(page, "door")).to_have_attribute("data-state", "away")
            expect(tile(page, "door").locator(".veil")).to_be_visible()
            bootstrap = site.broker.text.split("KAFKA_BOOTSTRAP=")[1].split()[0]
            variables = {"KAFKAPORT": bootstrap, "DISPLAYPORT": f"127.0.0.1:{port}"}
            stack.enter_context(Service("video", variables, tmp_path, "-again"))

            expect_live_video(page, "door")
            expect(page.locator("#banner")).to_be_empty()
            # A single camera does not need the wall.
            expect(page.locator("#wall")).to_have_attribute("data-view", "single")
            expect(page.locator(".trends")).to_be_visible()


def test_names_and_labels_are_never_markup(site: Site, wall: Page) -> None:
    site.films.cameras[HTML].labels = lambda seq: [
        Prediction("<b>model</b>", (Result("<script>alert(1)</script>", 0.5),), seq, 10)
    ]
    shown = tile(wall, HTML)

    expect(shown.locator(".label").first).to_have_text("<script>alert(1)</script>", timeout=10_000)
    shown.locator("a.open").click()
    expect(wall.locator("#wall")).to_have_attribute("data-view", "single")
    expect(wall.locator(".log-label").first).to_have_text("<script>alert(1)</script>", timeout=10_000)
    expect_live_video(wall, HTML)

    assert wall.evaluate("document.querySelectorAll('main img[src=x], main script, main b').length") == 0


def test_the_single_view_shows_everything_about_a_camera(site: Site, browser: Browser) -> None:
    with open_page(browser, f"{site.address}?camera=door") as page:
        expect_live_video(page, "door")
        shown = tile(page, "door")
        expect(shown.locator(".label").first).to_have_text(re.compile("hare|wood rabbit"))
        expect(page.locator(".sparks svg, .sparks canvas").first).to_be_visible()
        rows = page.locator(".log-row")
        expect(rows.nth(1)).to_be_visible(timeout=60_000)
        thumbnail = rows.first.locator("img")
        wait_for(lambda: thumbnail.evaluate("image => image.naturalWidth") > 0, 10, "the thumbnail")
        expect(rows.first).to_contain_text(re.compile(r"(hare|wood rabbit).*\d+%.*\d\d:\d\d:\d\d", re.DOTALL))

        shown.locator(".label").first.select_text()
        assert page.evaluate("getSelection().toString()") in {"hare", "wood rabbit"}
        with page.expect_download() as download:
            page.keyboard.press("s")
        assert download.value.path().read_bytes().startswith(b"\xff\xd8")
        assert download.value.suggested_filename == "door.jpg"
        page.keyboard.press("f")
        wait_for(lambda: page.evaluate("document.fullscreenElement !== null"), 10, "full screen")
        page.keyboard.press("f")
        wait_for(lambda: page.evaluate("document.fullscreenElement === null"), 10, "its end")
        keep(page, "single")
        assert (
            page.locator("a.path", has_text="Stream").evaluate("link => link.href")
            == f"{site.address}stream/door"
        )


def test_everything_can_be_done_with_the_keyboard(site: Site, browser: Browser) -> None:
    with open_page(browser, site.address) as page:
        expect(page.locator(".tile")).to_have_count(16, timeout=60_000)
        names = page.locator(".tile .name").all_text_contents()
        page.locator("a.open").first.focus()

        page.keyboard.press("ArrowRight")
        expect(page.locator("a.open").nth(1)).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#wall")).to_have_attribute("data-view", "single")
        expect(page.locator(".tile:visible .name")).to_have_text(names[1])
        page.keyboard.press("ArrowRight")
        expect(page.locator(".tile:visible .name")).to_have_text(names[2])
        page.keyboard.press("?")
        expect(page.locator("#keys")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#keys")).to_be_hidden()
        page.keyboard.press("Escape")
        expect(page.locator("#wall")).to_have_attribute("data-view", "wall")
        reached = set()
        for _ in range(40):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.id || document.activeElement.className"))

    assert {"theme", "help", "open"} <= reached


@pytest.mark.usefixtures("axe")
@pytest.mark.parametrize("size", ["phone", "desktop"])
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_axe_finds_nothing_and_the_page_does_not_scroll_sideways(
    site: Site, browser: Browser, size: str, scheme: Scheme
) -> None:
    with open_page(browser, site.address, SIZES[size], scheme) as page:
        for view, path in (("wall", ""), ("single", "?camera=yard"), ("unknown", "?camera=nobody")):
            page.goto(site.address + path)
            expect(page.locator(".tile")).to_have_count(16, timeout=60_000)
            if view != "unknown":
                expect_live_video(page, "yard")
            over = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            keep(page, f"{view}-{size}-{scheme}")

            expect_accessible(page)
            assert over <= 0

        page.keyboard.press("?")
        expect_accessible(page)


def test_a_page_without_cameras_says_what_to_check(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    with (
        embedded_broker(tmp_path) as (bootstrap, _),
        Service("video", {"KAFKAPORT": bootstrap, "DISPLAYPORT": f"127.0.0.1:{port}"}, tmp_path),
        ExitStack() as stack,
    ):
        address = f"http://127.0.0.1:{port}/"
        wait_for(lambda: reads(f"{address}api/cameras") == b"[]", 20, "the server")
        page = stack.enter_context(open_page(browser, address))
        expect(page.get_by_role("heading", name="Waiting for the first frame")).to_be_visible()
        expect(page.get_by_role("button", name="Add camera")).to_be_hidden()
        keep(page, "empty")
