"""Cameras as data on the page, in both browsers: add, preview, change, pause, remove, arrange."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from pipeline.cameras.record import CameraRecord
from tests.e2e.browsing import SIZES, Scheme, expect_accessible, expect_live_video, keep, open_page, tile
from tests.e2e.conftest import Window
from tests.e2e.test_access import log_in, users
from tests.e2e.test_browsers import click, expect_moving, texts, unexpected
from tests.e2e.test_wall import axe
from tests.followed import REFUSED, Followed
from tests.parts import Service, embedded_broker, free_port, reads, wait_for

__all__ = ["axe"]

BIKES: Final = "http://user:secret@127.0.0.1:8000/bikes.mjpg"
PHONE: Final = "http://user:secret@127.0.0.1:8000/phone.mjpg"
NOWHERE: Final = "http://user:secret@127.0.0.1:9/nowhere.mjpg"
FILMS: Final = {BIKES: "bikes.mp4", PHONE: "carphone_pristine.mp4"}
INSIDE: Final = """
(selector) => {
  const { top, bottom } = document.querySelector(selector).getBoundingClientRect();
  const around = document.querySelector("#editor").getBoundingClientRect();
  return around.top <= top + 1 && bottom <= around.bottom + 1;
}
"""
"""Whether an element is completely inside the dialog's visible part."""

REFUSALS: Final = ("400", "401", "403", "404", "409")
"""Parts of the browsers' own messages about answers that the page explains itself."""


@dataclass(frozen=True, slots=True)
class Site:
    """A video server that keeps cameras as data: its address, and what captures them."""

    address: str
    cameras: Followed
    video: Service

    def config(self, camera: str) -> dict[str, Any]:
        """Return a camera's record as the API describes it."""
        found = json.loads(reads(f"{self.address}api/cameras/{camera}") or "{}").get("config")
        return found or {}


def start(stack: ExitStack, folder: Path, *names: str, **settings: str) -> Site:
    """Start a broker, a video server and what captures the cameras with these names; they end with the stack.

    The server is ready, unless there is no camera.
    """
    bootstrap, _ = stack.enter_context(embedded_broker(folder, "--topic", "cameras:1"))
    address = f"127.0.0.1:{free_port()}"
    variables = {
        "KAFKAPORT": bootstrap,
        "DISPLAYPORT": address,
        "CAMERASTOPIC": "cameras",
    }
    video = stack.enter_context(Service("video", {**variables, **settings}, folder))
    cameras = stack.enter_context(Followed(bootstrap, FILMS))
    for name in names:
        cameras.put(name, CameraRecord(link=PHONE))
    if names:
        video.ready(60)
    return Site(f"http://{address}/", cameras, video)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A video server with the camera `yard` as data."""
    with ExitStack() as stack:
        yield start(stack, tmp_path, "yard")


def enter(window: Window, **fields: str) -> None:
    """Type into fields of the form."""
    for name, value in fields.items():
        window.evaluate(
            f"""(() => {{
              const field = document.querySelector('#field-{name}');
              field.value = {json.dumps(value)};
              field.dispatchEvent(new Event('input', {{ bubbles: true }}));
              return null;
            }})()"""
        )


def press(window: Window, words: str) -> None:
    """Click the visible button with these words."""
    shown = "[...document.querySelectorAll('button')].filter((each) => each.getClientRects().length)"
    found = f"{shown}.find((each) => each.textContent.trim() === {json.dumps(words)} && !each.disabled)"
    wait_for(lambda: window.evaluate(f"!!{found}"), 30, f"the button {words}")
    window.evaluate(f"({found}.click(), null)")


def open_wall(site: Site, window: Window) -> None:
    """Open the page, and wait for the camera and the permission to change it."""
    window.open(site.address)
    expect_moving(window, "yard")
    wait_for(lambda: window.evaluate("!document.querySelector('#add').hidden"), 30, "the permission")


def is_open(window: Window) -> bool:
    """Return whether the form is open."""
    return bool(window.evaluate("document.querySelector('#editor').open"))


def test_the_first_camera_is_added_from_the_empty_page(window: Window, tmp_path: Path) -> None:
    with ExitStack() as stack:
        site = start(stack, tmp_path)
        wait_for(lambda: reads(f"{site.address}api/session"), 60, "the server")
        window.open(site.address)
        wait_for(lambda: texts(window, "#message .heading") == ["No cameras yet"], 30, "the message")
        press(window, "Add camera")

        window.evaluate("document.querySelector('#editor').close()")
        click(window, "#message .main")
        enter(window, name="door", link=BIKES)
        press(window, "Save")

        expect_moving(window, "door")
        assert texts(window, "#message:not([hidden])") == []
    assert unexpected(window) == []


def test_a_camera_is_previewed_added_and_gets_the_focus(site: Site, window: Window) -> None:
    open_wall(site, window)
    press(window, "Add camera")
    enter(window, name="bikes 2", link=BIKES, group="Street")
    press(window, "Preview")

    size = "document.querySelector('.preview-picture').naturalWidth"
    wait_for(lambda: window.evaluate(size) == 640, 30, "the preview's picture")
    state = re.compile(r"^640 . 272, [\d.]+ fps$")
    wait_for(lambda: state.match(texts(window, ".preview-state")[0]), 30, "its size")
    names = [each["name"] for each in json.loads(reads(f"{site.address}api/cameras"))]
    assert names == ["yard"], "nobody sees a preview in the list"
    assert texts(window, ".tile .name") == ["yard"]
    press(window, "Save")

    wait_for(lambda: window.evaluate("!!document.querySelector('[data-camera=\"bikes 2\"]')"), 30, "its tile")
    focused = "document.activeElement.closest('.tile')?.dataset.camera"
    wait_for(lambda: window.evaluate(focused) == "bikes 2", 30, "the focus")
    live = "document.querySelector('[data-camera=\"bikes 2\"]').dataset.state"
    wait_for(lambda: window.evaluate(live) == "live", 30, "its picture")
    assert texts(window, ".group-name") == ["Street", "Other cameras"]
    assert site.config("bikes%202")["group"] == "Street"
    assert "secret" not in window.evaluate("document.documentElement.outerHTML")
    assert unexpected(window) == []


def test_a_wrong_link_has_its_reason_in_the_preview_and_on_the_wall(site: Site, window: Window) -> None:
    open_wall(site, window)
    press(window, "Add camera")
    enter(window, name="gate", link=NOWHERE)
    press(window, "Preview")
    wait_for(lambda: REFUSED in texts(window, ".preview-state")[0], 30, "the reason in the preview")
    press(window, "Save")

    reason = "[data-camera=gate] .veil-reason"
    wait_for(lambda: texts(window, reason) == [REFUSED.capitalize()], 30, "the reason on the wall")
    assert unexpected(window) == []


def test_a_refused_field_is_named_and_what_was_typed_is_kept(site: Site, window: Window) -> None:
    open_wall(site, window)
    press(window, "Add camera")
    enter(window, name="gate", link="file:///etc/passwd", interval="often")
    press(window, "Save")

    wrong = "[...document.querySelectorAll('[aria-invalid]')].map(({ id }) => id)"
    wait_for(lambda: window.evaluate(wrong) == ["field-link"], 30, "the field")
    assert window.evaluate("document.activeElement.id") == "field-link"
    enter(window, link=BIKES)
    press(window, "Save")
    wait_for(lambda: window.evaluate(wrong) == ["field-interval"], 30, "the next field")
    assert window.evaluate("document.activeElement.id") == "field-interval", "its section has been opened"
    enter(window, interval="", name="yard")
    press(window, "Save")
    wait_for(lambda: window.evaluate(wrong) == ["field-name"], 30, "the name that exists")
    assert window.evaluate("document.querySelector('#field-link').value") == BIKES
    assert [each for each in unexpected(window) if not any(part in each for part in REFUSALS)] == []


def test_a_camera_is_edited_paused_resumed_and_removed(site: Site, window: Window) -> None:
    site.cameras.put("bikes", CameraRecord(link=BIKES, weight=2.0))
    open_wall(site, window)
    expect_moving(window, "bikes")
    click(window, "[data-camera=bikes] a.open")

    press(window, "Edit")
    wait_for(lambda: is_open(window), 30, "the form")
    assert "secret" not in window.evaluate("document.documentElement.outerHTML")
    enter(window, group="Street", rotate="90")
    press(window, "Save")
    wait_for(lambda: site.config("bikes").get("group") == "Street", 30, "the change")
    config = site.config("bikes")
    assert (config["rotate"], config["weight"]) == (90, 2)
    expect_moving(window, "bikes")

    state = "document.querySelector('[data-camera=bikes]').dataset.state"
    press(window, "Pause")
    wait_for(lambda: window.evaluate(state) == "paused", 30, "the pause")
    wait_for(lambda: not site.cameras.sends("bikes"), 30, "its frames to end")
    press(window, "Resume")
    expect_moving(window, "bikes")
    assert site.config("bikes")["weight"] == 2

    press(window, "Remove")
    wait_for(lambda: texts(window, "#removal .heading") == ["Remove “bikes”?"], 30, "the question")
    click(window, "#removal .danger")
    wait_for(lambda: texts(window, ".tile .name") == ["yard"], 30, "the tile to go")
    wait_for(lambda: texts(window, "#notice") == ["“bikes” was removed"], 5, "the notice")
    assert unexpected(window) == []


def test_what_others_change_while_the_form_is_open_stays(site: Site, window: Window) -> None:
    record = CameraRecord(link=BIKES, models=["imagenet_1"], group="Street")
    site.cameras.put("bikes", record)
    open_wall(site, window)
    expect_moving(window, "bikes")
    click(window, "[data-camera=bikes] a.open")
    press(window, "Edit")
    wait_for(lambda: is_open(window), 30, "the form")

    site.cameras.put("bikes", record.model_copy(update={"group": "Yard", "paused": True}))
    wait_for(lambda: site.config("bikes").get("paused"), 30, "the other change")
    enter(window, scale="0.5")
    press(window, "Save")

    wait_for(lambda: site.config("bikes").get("scale") == 0.5, 30, "the change")
    config = site.config("bikes")
    assert (config["group"], config["paused"], config["models"]) == ("Yard", True, ["imagenet_1"])
    press(window, "Edit")
    wait_for(lambda: is_open(window), 30, "the form again")
    urlopen(Request(f"{site.address}api/cameras/bikes", method="DELETE"), timeout=30).close()
    wait_for(lambda: texts(window, ".tile .name") == ["yard"], 30, "the tile to go")
    press(window, "Save")
    gone = "“bikes” was removed meanwhile. To get it back, add it again"
    wait_for(lambda: gone in texts(window, "#editor .problem"), 30, "the reason")
    assert [each for each in unexpected(window) if not any(part in each for part in REFUSALS)] == []


def test_a_preview_is_in_view_and_ends_when_another_link_is_typed(site: Site, window: Window) -> None:
    open_wall(site, window)
    window.resize(1280, 720)
    press(window, "Add camera")
    enter(window, name="bikes", link=BIKES)
    window.evaluate("(document.querySelector('.more').open = true, null)")
    press(window, "Preview")
    size = "document.querySelector('.preview-picture').naturalWidth"
    wait_for(lambda: window.evaluate(size) == 640, 30, "the preview's picture")

    wait_for(lambda: window.evaluate(f"({INSIDE})('.preview')"), 5, "the picture to be in view")
    enter(window, link=PHONE)
    wait_for(lambda: texts(window, ".preview-state") == [""], 5, "the preview to end")
    assert window.evaluate("document.querySelector('.preview-picture').hidden")
    assert unexpected(window) == []


@pytest.mark.parametrize("close", ["escape", "reload"])
def test_the_preview_ends_with_the_form_and_with_the_page(site: Site, browser: Browser, close: str) -> None:
    with open_page(browser, site.address) as page:
        expect_live_video(page, "yard")
        page.get_by_role("button", name="Add camera").click()
        page.get_by_label("Link", exact=True).fill(BIKES)
        with page.expect_response("**/api/previews") as answer:
            page.get_by_role("button", name="Preview").click()
        preview = f"{site.address}api/cameras/{answer.value.json()['name']}"
        expect(page.locator(".preview-state")).to_contain_text("fps", timeout=30_000)
        assert reads(preview)

        if close == "escape":
            page.keyboard.press("Escape")
        else:
            page.reload()

        wait_for(lambda: not reads(preview), 30, "the server to forget it, which else takes 90 s")


def test_links_are_masked_until_they_are_shown(site: Site, browser: Browser) -> None:
    with open_page(browser, site.address) as page:
        page.get_by_role("button", name="Add camera").click(timeout=30_000)
        link = page.get_by_label("Link", exact=True)
        link.fill(BIKES)
        masked = "input => getComputedStyle(input).webkitTextSecurity"
        assert link.evaluate(masked) == "disc"
        page.get_by_role("button", name="Show the link").click()
        assert link.evaluate(masked) == "none"
        page.get_by_role("button", name="Cancel").click()
        assert link.input_value() == "", "a link may hold a password"


def test_a_form_that_is_opened_again_keeps_what_is_typed_then(site: Site, window: Window) -> None:
    """The browser announces that a dialog was closed some time later, when it may be open again."""
    open_wall(site, window)
    press(window, "Add camera")
    enter(window, name="first", link=PHONE)
    window.evaluate(
        f"""(() => {{
          document.querySelector('#editor').close();
          document.querySelector('#add').click();
          const field = document.querySelector('#field-name');
          field.value = 'door';
          document.querySelector('#field-link').value = {json.dumps(BIKES)};
        }})()"""
    )

    press(window, "Save")

    expect_moving(window, "door")
    assert "first" not in texts(window, ".tile .name")
    assert unexpected(window) == []


def test_a_late_answer_leaves_the_next_form_alone(site: Site, browser: Browser) -> None:
    with open_page(browser, site.address) as page:
        waiting = list[Route]()
        page.route(
            "**/api/cameras*", lambda route: waiting.append(route) if is_post(route) else route.continue_()
        )
        page.get_by_role("button", name="Add camera").click(timeout=30_000)
        page.get_by_label("Name", exact=True).fill("first")
        page.get_by_label("Link", exact=True).fill(PHONE)
        page.get_by_role("button", name="Save").click()
        page.wait_for_timeout(300)
        page.get_by_role("button", name="Cancel").click()
        page.get_by_role("button", name="Add camera").click()
        page.get_by_label("Name", exact=True).fill("second")

        (late,) = waiting
        with page.expect_response(lambda answer: answer.request.method == "POST"):
            late.continue_()

        expect(page.locator(".tile .name", has_text="first")).to_be_visible(timeout=20_000)
        expect(page.get_by_label("Name", exact=True)).to_have_value("second")


def is_post(route: Route) -> bool:
    """Whether a request adds something."""
    return route.request.method == "POST"


def test_the_bar_takes_one_row_with_the_button(site: Site, window: Window) -> None:
    site.cameras.put("gate", CameraRecord(link=NOWHERE))
    site.cameras.put("hall", CameraRecord(link=PHONE, paused=True))
    open_wall(site, window)
    counted = "document.querySelectorAll('.count').length"
    for width, view in ((320, "single"), (920, "single"), (920, "wall"), (320, "wall")):
        window.resize(width, 700)
        window.open(f"{site.address}?camera=yard" if view == "single" else site.address)
        wait_for(lambda: window.evaluate(counted) > 1, 30, "the states")
        wait_for(lambda: window.evaluate("!document.querySelector('#add').hidden"), 30, "the permission")
        # On phones, the wall's states have a row of their own.
        last = ".bar-end" if (width, view) == (320, "wall") else ".bar"
        bottom = window.evaluate(f"document.querySelector('{last}').getBoundingClientRect().bottom")
        assert bottom <= 56, f"{view}, {width} px"


def names(page: Page) -> list[str]:
    """Return the cameras in the order of the wall."""
    return page.locator(".tile .name").all_text_contents()


def test_order_and_collapsed_groups_survive_a_reload(site: Site, browser: Browser) -> None:
    for name, group in (("a", ""), ("b", ""), ("c", "Street"), ("d", "Street"), ("e", "Hall")):
        site.cameras.put(name, CameraRecord(link=PHONE, group=group))
    with open_page(browser, site.address) as page:
        expect(page.locator(".tile")).to_have_count(6, timeout=30_000)
        assert names(page) == ["e", "c", "d", "a", "b", "yard"]

        tile(page, "d").locator("a.open").focus()
        page.keyboard.press("Shift+ArrowLeft")
        expect(tile(page, "d").locator("a.open")).to_be_focused()
        expect(page.locator("#news")).to_have_text("d: place 1 of 2")
        tile(page, "yard").drag_to(tile(page, "a"), target_position={"x": 5, "y": 40})
        tile(page, "yard").drag_to(tile(page, "c"))  # another group: nothing happens
        page.get_by_role("button", name="Hall").click()
        order = ["e", "d", "c", "yard", "a", "b"]
        assert names(page) == order
        expect(page.locator('[data-camera="e"]')).to_be_hidden()

        page.reload()
        expect(page.locator(".tile")).to_have_count(6, timeout=30_000)
        assert names(page) == order
        expect(page.locator('[data-camera="e"]')).to_be_hidden()
        expect(page.get_by_role("button", name="Hall")).to_have_attribute("aria-expanded", "false")
        tile(page, "b").locator("a.open").click()
        page.get_by_role("button", name="Move to an earlier place").click()
        expect(page.locator(".place-words")).to_have_text("Place 2 of 3 on the wall")
        assert names(page) == ["e", "d", "c", "yard", "b", "a"]


def test_without_permission_the_button_says_how_to_get_it(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "users.json"
    users(file, "add", "ann")
    with ExitStack() as stack:
        site = start(stack, tmp_path, "yard", USERS=str(file))
        page = stack.enter_context(open_page(browser, site.address))
        log_in(page, "ann")
        expect_live_video(page, "yard")
        page.get_by_role("button", name="Add camera").click(timeout=30_000)
        expect(page.locator("#notice")).to_contain_text("You may not change cameras now: ")
        expect(page.locator("#notice")).to_contain_text("operator")
        expect(page.locator("#editor")).to_be_hidden()
        expect(page.get_by_role("button", name="Remove")).to_have_count(0)


def test_a_lost_session_is_explained_and_what_was_typed_is_kept(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "users.json"
    users(file, "add", "ann", "--role", "operator")
    with ExitStack() as stack:
        site = start(stack, tmp_path, "yard", USERS=str(file))
        page = stack.enter_context(open_page(browser, site.address, expected=REFUSALS))
        log_in(page, "ann")
        expect_live_video(page, "yard")
        page.get_by_role("button", name="Add camera").click(timeout=30_000)
        page.get_by_label("Name").fill("bikes")
        page.get_by_label("Link", exact=True).fill(BIKES)
        page.context.clear_cookies()

        page.get_by_role("button", name="Save").click()

        problem = page.get_by_role("alert").filter(visible=True)
        expect(problem).to_contain_text("You are no longer logged in")
        assert page.get_by_label("Link", exact=True).input_value() == BIKES
        with page.context.expect_page() as tab:
            problem.get_by_role("link").click()
        log_in(tab.value, "ann")
        expect(tab.value.locator(".tile")).to_have_count(1, timeout=30_000)
        page.get_by_role("button", name="Save").click()
        expect_live_video(page, "bikes")


@pytest.mark.usefixtures("axe")
@pytest.mark.parametrize("size", ["phone", "desktop"])
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_axe_finds_nothing_in_the_dialogs_and_on_a_wall_with_groups(
    site: Site, browser: Browser, size: str, scheme: Scheme
) -> None:
    site.cameras.put("gate", CameraRecord(link=NOWHERE, group="Street"))
    site.cameras.put("hall", CameraRecord(link=PHONE, group="Street", paused=True))
    with open_page(browser, site.address, SIZES[size], scheme, expected=REFUSALS) as page:
        expect_live_video(page, "yard")
        expect(page.locator(".group")).to_have_count(2)
        expect_accessible(page)

        page.get_by_role("button", name="Add camera").click(timeout=30_000)
        page.locator("summary").click()
        page.get_by_label("Name").fill("new")
        page.get_by_label("Link", exact=True).fill("nonsense://")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("[aria-invalid]")).to_be_visible()
        keep(page, f"editor-{size}-{scheme}")
        expect_accessible(page)
        page.keyboard.press("Escape")
        tile(page, "hall").locator("a.open").click()
        page.get_by_role("button", name="Remove").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        expect_accessible(page)
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over <= 0


def test_two_hundred_cameras_are_shown_and_only_those_in_view_are_sent(site: Site, browser: Browser) -> None:
    for number in range(199):
        link = PHONE if number % 20 == 0 else NOWHERE
        site.cameras.put(f"camera {number:03}", CameraRecord(link=link, group=f"floor {number // 50}"))
    with open_page(browser, site.address) as page:
        expect(page.locator(".tile")).to_have_count(200, timeout=60_000)
        expect(page.locator(".group")).to_have_count(5)
        last = "camera 180"
        sent = f'streamlens_socket_pictures_sent_total{{camera="{last}"}}'
        expect(page.locator(f'[data-camera="{last}"]')).to_have_attribute(
            "data-state", "live", timeout=60_000
        )
        expect_live_video(page, "camera 000")
        assert site.video.metric(sent) == 0
        wait_for(
            lambda: page.locator(".veil-reason", has_text=REFUSED.capitalize()).count() > 150, 60, "reasons"
        )
        expect_live_video(page, last)
        words = page.locator(".tile:visible .veil:visible .veil-words").all_text_contents()
        assert all(words), "no tile is blank"
        print(page.evaluate("document.querySelectorAll('*').length"), "elements")
