"""The page in Chromium and in Firefox: the wall, a single camera, the login, lost connections, errors."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from tests.e2e import test_access
from tests.e2e.browsing import PIXELS, Line, picture
from tests.e2e.conftest import Window
from tests.e2e.test_wall import Site, start
from tests.parts import free_port, wait_for

OWN: Final = ("WebSocket", "connection", "401", "ERR_")
"""Parts of the browsers' own messages when a connection ends or is refused."""

WORKER: Final = """
const Real = Worker;
let failures = {failures};
globalThis.Worker = class extends Real {{
  constructor(url, options) {{
    super(failures-- > 0 ? "page/nowhere.js" : url, options);
    globalThis.worker = this;
  }}
}};
"""
"""Lets the first requests for the page's worker lead nowhere."""

FORBIDDEN: Final = """
globalThis.Worker = class extends Worker {
  constructor(...all) {
    const policy = `<meta http-equiv="Content-Security-Policy" content="worker-src 'none'">`;
    document.head.insertAdjacentHTML("beforeend", policy);
    super(...all);
  }
};
"""
"""Forbids the page's worker."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A video server with two cameras."""
    with ExitStack() as stack:
        yield start(stack, tmp_path_factory.mktemp("browsers"), free_port(), ["door", "yard"])


def texts(window: Window, selector: str) -> list[str]:
    """Return the texts of all elements that a selector finds."""
    found = f"[...document.querySelectorAll('{selector}')].map(({{textContent}}) => textContent)"
    return window.evaluate(found) or []


def click(window: Window, selector: str) -> None:
    """Click an element."""
    window.evaluate(f"document.querySelector('{selector}').click()")


def expect_moving(window: Window, *cameras: str) -> None:
    """Check that these cameras are live, and that their pictures move."""
    for camera in cameras:
        live = f"[data-camera={camera}][data-state=live] .name"
        wait_for(lambda: texts(window, live), 20, f"{camera} to be live")  # noqa: B023
        pixels = f"""({PIXELS})([document.querySelector('[data-camera="{camera}"] canvas')])[0]"""
        # Two changes: the first may be from an empty canvas to a picture that then stays.
        for _ in range(2):
            first = wait_for(lambda: window.evaluate(pixels), 20, "a picture")  # noqa: B023
            wait_for(lambda: window.evaluate(pixels) != first, 20, "the picture to move")  # noqa: B023


def keep(window: Window, name: str) -> None:
    """Save a picture of the page, to be looked at after the run."""
    window.keep(picture(f"{name}-{type(window).__name__.lower()}"))


def unexpected(window: Window) -> list[str]:
    """Return the complaints that do not come from a lost or refused connection."""
    return [text for text in window.complaints if not any(part in text for part in OWN)]


def test_the_wall_shows_live_pictures_and_labels(site: Site, window: Window) -> None:
    window.open(site.address)

    expect_moving(window, "door", "yard")
    for label in ("hare", "wood rabbit"):
        wait_for(lambda: label in texts(window, "[data-camera=door] .label"), 20, label)  # noqa: B023
    keep(window, "two")
    assert window.complaints == []


@pytest.mark.parametrize(("width", "height"), [(1920, 600), (2560, 1080)])
def test_two_cameras_fill_a_wide_screen(site: Site, window: Window, width: int, height: int) -> None:
    window.resize(width, height)
    window.open(site.address)
    expect_moving(window, "door", "yard")

    boxes = "[...document.querySelectorAll('.tile')].map((each) => each.getBoundingClientRect())"
    left, right = window.evaluate(f"{boxes}.map(({{left, right, top}}) => [left, right, top])")

    assert left[2] == right[2]
    assert right[1] - left[0] > 0.95 * width
    keep(window, f"two-{width}")


def test_a_single_camera_has_its_recent_labels(site: Site, window: Window) -> None:
    window.open(site.address)
    wait_for(lambda: len(texts(window, ".tile .name")) == 2, 20, "the cameras")

    click(window, "[data-camera=door] a.open")

    wait_for(lambda: texts(window, "#wall[data-view=single] .log-label"), 20, "the recent labels")
    expect_moving(window, "door")
    assert window.evaluate("location.search") == "?camera=door"
    keep(window, "single")
    click(window, "#back")
    wait_for(lambda: texts(window, "#wall[data-view=wall] .name"), 20, "the wall")
    expect_moving(window, "yard")
    assert window.complaints == []


def test_escape_pressed_twice_leads_no_further_than_the_wall(site: Site, window: Window) -> None:
    window.open(site.address)
    expect_moving(window, "door")
    click(window, "[data-camera=door] a.open")
    wait_for(lambda: texts(window, "#wall[data-view=single] .name"), 20, "the single view")

    escape = "document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }))"
    window.evaluate(f"({escape}, {escape}, null)")

    wait_for(lambda: texts(window, "#wall[data-view=wall] .name"), 20, "the wall")
    expect_moving(window, "door", "yard")
    assert window.evaluate("location.search") == ""
    click(window, "[data-camera=yard] a.open")
    wait_for(lambda: texts(window, "#wall[data-view=single] .name"), 20, "the single view again")
    assert window.complaints == []


def test_a_user_logs_in_and_out(window: Window, tmp_path: Path) -> None:
    def log_in(password: str) -> None:
        for field, value in (("name", "ann"), ("password", password)):
            window.evaluate(f"document.querySelector('input[name={field}]').value = '{value}'")
        click(window, "form button")

    with ExitStack() as stack:
        guarded = test_access.start(stack, tmp_path, ["door", "yard"])
        window.open(guarded.address)
        assert window.evaluate("location.pathname") == "/login"
        keep(window, "login")
        log_in("wrong password")
        wait_for(lambda: "Wrong name or password" in "".join(texts(window, "[role=alert]")), 20, "an answer")
        log_in(test_access.PASSWORD)

        expect_moving(window, "door")
        assert texts(window, ".tile .name") == ["door"]
        click(window, "#logout")
        wait_for(lambda: window.evaluate("location.pathname") == "/login", 20, "the login")
    assert unexpected(window) == []


def test_a_page_says_that_its_connection_is_lost_and_comes_back(site: Site, window: Window) -> None:
    with Line(site.address) as line:
        window.open(line.address)
        for _ in range(2):
            expect_moving(window, "door")
            line.accepts = False
            line.cut()
            wait_for(lambda: "No connection" in texts(window, "#banner")[0], 20, "the page to say so")
            wait_for(lambda: texts(window, "[data-state=away] .veil-words"), 20, "the tiles to say so")
            keep(window, "no-connection")
            line.accepts = True

        expect_moving(window, "door", "yard")
        assert texts(window, "#banner") == [""]
    assert unexpected(window) == []


def test_a_worker_that_does_not_load_is_reported_and_loaded_again(site: Site, window: Window) -> None:
    window.prepare(WORKER.format(failures=1))
    window.open(site.address)

    wait_for(lambda: "worker.js is missing" in texts(window, "#notice")[0], 20, "the page to say so")
    keep(window, "worker")
    expect_moving(window, "door", "yard")


def test_a_worker_that_a_policy_forbids_is_reported(site: Site, window: Window) -> None:
    window.prepare(FORBIDDEN)
    window.open(site.address)

    wait_for(lambda: "Content-Security-Policy" in texts(window, "#notice")[0], 20, "the page to say so")
    keep(window, "forbidden")


def test_an_error_in_the_worker_is_reported_and_the_pictures_go_on(site: Site, window: Window) -> None:
    window.prepare(WORKER.format(failures=0))
    window.open(site.address)
    expect_moving(window, "door")

    window.evaluate("worker.postMessage({ type: 'attach', name: 'broken', canvas: null })")

    wait_for(lambda: "TypeError" in texts(window, "#notice")[0], 20, "the page to say so")
    keep(window, "error")
    wait_for(lambda: any("TypeError" in text for text in window.complaints), 20, "the console to say so")
    expect_moving(window, "door")
