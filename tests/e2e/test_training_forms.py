"""The forms of the training pages in both browsers: errors, drafts, two tabs, a service that restarts."""

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any, Final
from urllib.error import HTTPError

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.browsing import open_page
from tests.e2e.conftest import Window
from tests.e2e.test_browsers import click, texts
from tests.e2e.test_changes import enter, press
from tests.e2e.training_site import (
    CHECKED,
    EDITOR,
    SOON,
    Site,
    each_window,
    made_of_digits,
    photo,
    says,
    show,
    start,
    unexpected,
    value_of,
)
from tests.parts import wait_for

__all__ = ["each_window"]

MISSING: Final = {
    "nowhere": "There is no such page",
    "models/abc": "There is no such page",
    "deployments/5": "There is no such page",
    "predict": "There is no such page",
    "results/99": "There is no result 99",
    "models/99": "There is no model 99",
    "configurations/99": "There is no configuration 99",
    "results?deployment=99": "There is no deployment 99",
    "deployments?configuration=99": "There is no configuration 99",
    "predict/99": "There is no result 99",
}
"""What pages say that were never there, or are gone."""

AWAY: Final = ("ERR_", "NetworkError", "Cross-Origin", "400", "404", "503")
"""Parts of the browsers' own messages while the service is away."""


@pytest.fixture(scope="module")
def stack() -> Iterator[ExitStack]:
    """What ends with the tests of this file."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def site(stack: ExitStack, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A training service with the example's model, configuration, deployment and stopped result."""
    site = start(stack, tmp_path_factory.mktemp("forms"))
    made_of_digits(site)
    return site


def test_what_is_not_there_is_said_with_a_way_on(site: Site, window: Window) -> None:
    for route, words in MISSING.items():
        show(window, site, route)
        says(window, "main .heading", words)
        assert texts(window, "main .message a"), route
    assert unexpected(window) == []


def test_an_error_of_the_code_is_shown_at_its_line(site: Site, window: Window) -> None:
    name = f"mine in {type(window).__name__.lower()}"
    show(window, site, "models/new")
    wait_for(lambda: window.evaluate(f"!!{EDITOR}?.querySelector('.cm-content')"), SOON, "the editor")
    assert "keras.Sequential" in window.evaluate(f"{EDITOR}.querySelector('.cm-content').textContent")
    wait_for(
        lambda: window.evaluate(f"{EDITOR}.querySelectorAll('.cm-line span').length > 10"), SOON, "colours"
    )
    enter(window, name="<b>mine</b>")
    press(window, "Check and save")
    says(window, ".field-error", "without /")

    enter(window, name=name)
    line = f"{EDITOR}.querySelector('.cm-line').getBoundingClientRect()"
    left, top = window.evaluate(f"(({{left, top}}) => [Math.round(left), Math.round(top)])({line})")
    window.type_at(left + 2, top + 8, "missing_name; ")
    press(window, "Check and save")
    says(window, ".field-error", "Line 1 of the code", CHECKED)
    says(window, ".field-error", "missing_name")
    wait_for(lambda: window.evaluate(f"!!{EDITOR}.querySelector('.cm-lint-marker-error')"), SOON, "the mark")
    photo(window, "error")

    # What was typed is still there after a look at another page.
    show(window, site, "results")
    show(window, site, "models/new")
    says(window, ".note", "not saved yet")
    wait_for(lambda: "missing_name" in (window.evaluate(f"{EDITOR}?.textContent") or ""), SOON, "the draft")
    press(window, "Discard them")
    enter(window, name=name)
    press(window, "Check and save")
    # Whoever goes elsewhere meanwhile stays there.
    show(window, site, "configurations")
    says(window, "#notice", f"Model “{name}” was saved", CHECKED)
    says(window, ".page-title", "Configurations")
    assert name in {each["name"] for each in site.get("models/")}
    assert unexpected(window) == []


def test_what_others_change_is_shown_and_what_is_typed_stays(
    site: Site, windows: tuple[Window, Window]
) -> None:
    one, other = windows
    (model,) = (each for each in site.get("models/") if each["name"] == "digits example")
    for window in windows:
        show(window, site, f"models/{model['id']}")
        wait_for(lambda: value_of(window, "description") == model["description"], SOON, "it")  # noqa: B023
    enter(other, description="typed")

    enter(one, description="saved")
    press(one, "Check and save")
    says(one, ".figures-words", "saved")
    says(other, ".note", "changed elsewhere")
    assert value_of(other, "description") == "typed"
    press(other, "Show what is there now")
    wait_for(lambda: value_of(other, "description") == "saved", SOON, "what the other has saved")

    # Nothing was typed since.
    site.send("PUT", f"models/{model['id']}", model)
    wait_for(lambda: value_of(other, "description") == model["description"], SOON, "the newest")
    assert not texts(other, ".note:not([hidden])")
    assert unexpected(one) == unexpected(other) == []


def test_a_training_says_its_place_in_the_queue_and_what_it_waits_for(site: Site, window: Window) -> None:
    (configuration,) = (each for each in site.get("configurations/") if each["name"] == "digits example")
    made = [site.send("POST", "deployments/", {"configuration": configuration["id"]}) for _ in range(3)]
    first, second, third = (each["results"][0]["id"] for each in made)
    try:
        show(window, site, f"results/{third}")
        says(window, ".status-card", "Place 2 in the queue")
        says(window, ".reason", f"Waits for result {second} (MAXRUNS=1)")
        show(window, site, "results")
        says(window, ".figures-note", f"Place 1 in the queue. Waits for result {first} (MAXRUNS=1)")

        site.send("POST", f"results/stop/{second}")
        show(window, site, f"results/{third}")
        says(window, ".status-card", "Place 1 in the queue")
        says(window, ".reason", f"Waits for result {first} (MAXRUNS=1)")
        site.send("POST", f"results/stop/{first}")
        says(window, ".status-card", "Waits for data", CHECKED)
    finally:
        for result in (first, second, third):
            with suppress(HTTPError):  # it is stopped already
                site.send("POST", f"results/stop/{result}")
    assert unexpected(window) == []


def test_the_nodes_of_a_training_are_in_the_form(site: Site, window: Window) -> None:
    show(window, site, "deployments/new")
    wait_for(lambda: value_of(window, "configuration"), SOON, "the configurations")
    before = len(site.get("deployments/"))

    enter(window, node_selector='{"disk": "a b"}')
    press(window, "Start")
    says(window, ".field-error", "expected at most 63 letters")
    assert len(site.get("deployments/")) == before
    enter(window, node_selector='{"disk": "ssd"}', tolerations='[{"key": "gpu", "operator": "Exists"}]')
    press(window, "Start")
    wait_for(lambda: len(site.get("deployments/")) > before, SOON, "the deployment")

    made = site.get("deployments/")[-1]
    assert made["node_selector"] == {"disk": "ssd"}
    assert made["tolerations"] == [{"key": "gpu", "operator": "Exists"}]
    result = made["results"][0]["id"]
    assert "node_selector and tolerations are ignored" in site.get(f"results/log/{result}")["log"]
    site.send("POST", f"results/stop/{result}")
    assert unexpected(window) == []


def test_a_deleted_row_leaves_the_focus_on_the_next(site: Site, window: Window) -> None:
    rows = [made_of(site, f"{name} {type(window).__name__}") for name in ("first", "second")]
    show(window, site, "configurations")
    says(window, ".figures-link", rows[0]["name"])
    show(window, site, f"configurations/{rows[0]['id']}")
    wait_for(lambda: value_of(window, "name") == rows[0]["name"], SOON, "the form")
    show(window, site, "configurations")
    says(window, ".figures-link", rows[1]["name"])
    button = f"[data-id='{rows[1]['id']}'] .warn"
    window.evaluate(
        f'(document.querySelector("{button}").focus(), document.querySelector("{button}").click(), null)'
    )
    window.evaluate("(document.querySelector('#confirm .danger').click(), null)")
    wait_for(lambda: rows[1]["name"] not in texts(window, ".figures-link"), SOON, "the row to leave the list")
    focus = "document.activeElement.closest('tr')?.dataset.id"
    assert window.evaluate(focus) == str(rows[0]["id"])

    site.send("DELETE", f"configurations/{rows[0]['id']}")
    assert unexpected(window) == []


def made_of(site: Site, name: str) -> dict[str, Any]:
    """Make a configuration of the example's model."""
    (model,) = (each["id"] for each in site.get("models/") if each["name"] == "digits example")
    sent = {"name": name, "description": "", "ml_models": [model]}
    site.send("POST", "configurations/", sent)
    found: dict[str, Any] = next(each for each in site.get("configurations/") if each["name"] == name)
    return found


def test_the_editor_is_left_with_escape_and_pages_begin_at_their_heading(
    site: Site, browser: Browser
) -> None:
    code, inside = f"{EDITOR}.querySelector('.cm-content')", "document.activeElement.id === 'field-code'"
    with open_page(browser, f"{site.address}#/models/new") as page:
        page.wait_for_selector("#field-code .cm-content")
        before = page.evaluate(f"{code}.textContent")
        page.locator("#field-framework").focus()
        page.keyboard.press("Tab")
        assert page.evaluate(inside)
        page.keyboard.press("Tab")
        assert page.evaluate(inside)
        assert page.evaluate(f"{code}.textContent") == f"    {before}"

        page.keyboard.press("Escape")
        page.keyboard.press("Tab")
        assert not page.evaluate(inside)

        page.locator(".nav-link", has_text="Results").press("Enter")
        page.wait_for_selector("main .figures-link")
        assert page.evaluate("document.activeElement.textContent") == "Results"


def test_pages_go_on_when_the_service_comes_back(
    site: Site, stack: ExitStack, windows: tuple[Window, Window]
) -> None:
    one, other = windows
    show(one, site, "results")
    says(one, ".figures-words", "Stopped")
    show(other, site, "configurations/new")
    enter(other, name="typed before")
    site.stop()

    for window in windows:
        says(window, "#banner", "No connection to the server")
    press(other, "Save")
    says(other, ".problem", "does not answer")
    photo(other, "away")
    site.start_again(stack)
    for window in windows:
        wait_for(lambda: texts(window, "#banner") == [""], SOON, "the connection")  # noqa: B023
    assert value_of(other, "name") == "typed before"
    press(other, "Save")
    says(other, ".field-error, .problem", "at least")
    for window in windows:
        assert [text for text in window.complaints if not any(part in text for part in AWAY)] == []


def test_a_topic_that_is_shown_is_in_the_address(site: Site, window: Window) -> None:
    show(window, site, "visualisation")
    for topic, words in (("", "Enter a topic"), ("no such/topic", "Expected the name of a topic")):
        enter(window, topic=topic)
        press(window, "Show")
        says(window, ".field-error", words)
    enter(window, topic="nobody-writes")
    press(window, "Show")
    says(window, "[role=status]", "no inference that runs writes to this topic")
    assert window.evaluate("location.hash") == "#/visualisation?topic=nobody-writes"
    assert value_of(window, "topic") == "nobody-writes"


def test_names_that_are_too_long_are_not_cut_and_errors_are_in_the_words_of_the_form(
    site: Site, window: Window
) -> None:
    show(window, site, "configurations/new")
    wait_for(lambda: texts(window, ".box"), SOON, "the models")
    click(window, ".box input")
    enter(window, name="n" * 31)
    assert window.evaluate("document.querySelector('#field-name').maxLength") == -1
    press(window, "Save")
    says(window, ".field-error", "Expected at most 30 characters")
    enter(window, name="a/b<script>")
    press(window, "Save")
    says(window, ".field-error", "Expected a name of at most 30 printable characters, not only dots")
    assert [each for each in texts(window, ".field-error") if "=" in each] == []


def test_an_editor_that_could_not_be_loaded_comes_later(site: Site, browser: Browser) -> None:
    with open_page(browser, f"{site.address}#/", expected=("ERR_FAILED",)) as page:
        page.route("**/codemirror.js*", lambda route: route.abort())
        page.evaluate("(location.hash = '#/models/new', null)")
        trouble = page.get_by_text("The editor cannot be loaded")
        expect(trouble).to_have_count(2, timeout=SOON * 1000)
        page.unroute("**/codemirror.js*")
        page.wait_for_selector("#field-code .cm-content")
        page.wait_for_selector("#field-imports .cm-content")
        expect(trouble).to_have_count(0)
