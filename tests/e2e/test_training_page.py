"""The pages of the training service, in both browsers: from one click to predictions."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.browsing import SIZES, Scheme, expect_accessible, keep, open_page, picture
from tests.e2e.conftest import Window
from tests.e2e.test_access import log_in, users
from tests.e2e.test_browsers import click, texts
from tests.e2e.test_changes import enter, press
from tests.e2e.test_wall import axe
from tests.parts import Service, embedded_broker, free_port, get, wait_for

__all__ = ["axe"]

CONTROL: Final = "KAFKA_ML_CONTROL_TOPIC"
LISTS: Final = ("models", "configurations", "deployments", "results", "datasources", "inferences")
SOON: Final = 30.0
TRAINED: Final = 170.0
"""s that a training may take on a busy machine: it starts TensorFlow twice."""

EDITOR: Final = "document.querySelector('#field-code').shadowRoot"
REFUSED: Final = ("400",)
"""Part of the browsers' own message about a refusal, which the page explains itself."""


@dataclass(frozen=True, slots=True)
class Site:
    """A training service."""

    address: str
    bootstrap: str

    def get(self, path: str) -> Any:
        """Return the JSON at a path."""
        return json.loads(get(f"{self.address}{path}"))

    def post(self, path: str, sent: object) -> Any:
        """Return the JSON of the answer to a POST."""
        body = json.dumps(sent).encode()
        request = Request(f"{self.address}{path}", body, {"Content-Type": "application/json"})
        with urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())


def start(stack: ExitStack, folder: Path, **settings: str) -> Site:
    """Start a broker and a training service without rows; they end with the stack."""
    topics = ("--topic", f"{CONTROL}:1", "--topic", "example-digits:1")
    predictions = ("--topic", "digits-example-input:1", "--topic", "digits-example-predictions:1")
    bootstrap, _ = stack.enter_context(embedded_broker(folder, *topics, *predictions))
    address = f"127.0.0.1:{free_port()}"
    variables = {
        "KAFKAPORT": bootstrap,
        "DISPLAYPORT": address,
        "DATAFOLDER": str(folder / "data"),
        "MODELSTORE": str(folder / "models"),
        "STATEFOLDER": str(folder / "state"),
    }
    stack.enter_context(Service("training", {**variables, **settings}, folder)).ready(60)
    return Site(f"http://{address}/", bootstrap)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A training service without rows."""
    with ExitStack() as stack:
        yield start(stack, tmp_path)


def show(window: Window, site: Site, route: str = "") -> None:
    """Open a page, or go to another."""
    here = window.evaluate("location.href") or ""
    if here.startswith(site.address):
        window.evaluate(f"(location.hash = '#/{route}', null)")
    else:
        window.open(f"{site.address}#/{route}")
    wait_for(
        lambda: window.evaluate("!document.querySelector('main').hasAttribute('aria-busy')"), SOON, route
    )


def follow(window: Window, words: str) -> None:
    """Click the link with these words."""
    links = "[...document.querySelectorAll('main a')].filter((each) => each.getClientRects().length)"
    found = f"{links}.find((each) => each.textContent.trim() === {json.dumps(words)})"
    wait_for(lambda: window.evaluate(f"!!{found}"), SOON, f"the link {words}")
    window.evaluate(f"({found}.click(), null)")


def says(window: Window, selector: str, words: str, timeout: float = SOON) -> None:
    """Wait until an element contains these words."""
    wait_for(lambda: any(words in each for each in texts(window, selector)), timeout, words)


def confirm(window: Window, words: str) -> None:
    """Answer the question before something is stopped or deleted: first no, then yes."""
    question = "document.querySelector('#confirm').open"
    button = f"[...document.querySelectorAll('main button')].find((each) => each.textContent === '{words}')"
    for answer in ("Cancel", words):
        wait_for(lambda: window.evaluate(f"!!{button}"), SOON, f"the button {words}")
        window.evaluate(f"({button}.click(), null)")
        assert window.evaluate(question)
        inside = "[...document.querySelectorAll('#confirm button')]"
        window.evaluate(f"({inside}.find((each) => each.textContent === '{answer}').click(), null)")
        wait_for(lambda: not window.evaluate(question), SOON, "the question to be answered")


def photo(window: Window, name: str) -> None:
    """Save a picture of the page, to be looked at after the run."""
    window.keep(picture(f"training-{name}-{type(window).__name__.lower()}"))


def unexpected(window: Window) -> list[str]:
    """Return the complaints of the browser, except its own about refusals."""
    return [text for text in window.complaints if not any(part in text for part in REFUSED)]


@pytest.mark.timeout(600)
def test_the_example_goes_from_one_click_to_predictions(site: Site, window: Window) -> None:
    show(window, site)
    photo(window, "start")
    press(window, "Try the example")

    says(window, ".page-title", "digits example, result 1", 60)
    wait_for(
        lambda: window.evaluate("document.querySelectorAll('.chart canvas').length") == 2, TRAINED, "curves"
    )
    photo(window, "running")
    says(window, ".state", "Finished", TRAINED)
    (result,) = site.get("results/")
    assert result["test_metrics"]["accuracy"][-1] >= 0.9
    wait_for(lambda: len(texts(window, ".matrix-cell")) == 100, SOON, "the matrix")
    assert sum(int(each or 0) for each in texts(window, ".matrix-cell")) == 179
    click(window, ".log-card summary")
    says(window, ".log-text", "has its model")
    photo(window, "finished")

    follow(window, "Predict")
    topic = "document.querySelector('#field-input_topic')?.value"
    wait_for(lambda: window.evaluate(topic) == "digits-example-input", SOON, "the form to be filled in")
    assert '"8 8"' in window.evaluate("document.querySelector('#field-input_config').value")
    press(window, "Start")
    says(window, ".page-title", "Visualisation")
    wait_for(lambda: site.get("inferences/")[0]["state"] == "ready", TRAINED, "the inference")
    press(window, "Send ten digits")
    wait_for(lambda: len("".join(texts(window, ".sequence")).split()) == 10, 60, "ten predictions")
    sent, predicted = texts(window, ".digit-label"), "".join(texts(window, ".sequence")).split()
    # With ten digits, an accuracy of 0.9 may well miss some.
    assert sum(one == other for one, other in zip(sent, predicted, strict=True)) >= 6
    photo(window, "predictions")

    show(window, site, "inferences")
    says(window, ".figures-note", "10 answers")
    confirm(window, "Stop")
    says(window, ".figures-words", "Stopped")
    confirm(window, "Delete")
    says(window, "main .heading", "No inferences yet")
    assert unexpected(window) == []


@pytest.mark.timeout(300)
def test_an_error_of_the_code_is_shown_at_its_line(site: Site, window: Window) -> None:
    show(window, site, "models/new")
    wait_for(lambda: window.evaluate(f"!!{EDITOR}?.querySelector('.cm-content')"), SOON, "the editor")
    assert "keras.Sequential" in window.evaluate(f"{EDITOR}.querySelector('.cm-content').textContent")
    wait_for(
        lambda: window.evaluate(f"{EDITOR}.querySelectorAll('.cm-line span').length > 10"), SOON, "colours"
    )
    enter(window, name="mine")
    line = f"{EDITOR}.querySelector('.cm-line').getBoundingClientRect()"
    left, top = window.evaluate(f"(({{left, top}}) => [Math.round(left), Math.round(top)])({line})")
    window.type_at(left + 2, top + 8, "missing_name; ")

    press(window, "Check and save")

    says(window, ".field-error", "Line 1 of the code", 120)
    says(window, ".field-error", "missing_name")
    wait_for(lambda: window.evaluate(f"!!{EDITOR}.querySelector('.cm-lint-marker-error')"), SOON, "the mark")
    photo(window, "error")
    # What was typed is still there after a look at another page.
    show(window, site, "results")
    show(window, site, "models/new")
    says(window, ".note", "not saved yet")
    wait_for(lambda: "missing_name" in (window.evaluate(f"{EDITOR}?.textContent") or ""), SOON, "the draft")
    press(window, "Discard them")
    enter(window, name="mine")
    press(window, "Check and save")
    says(window, ".figures-link", "mine", 120)
    assert [each["name"] for each in site.get("models/")] == ["mine"]
    assert unexpected(window) == []


def test_a_configuration_is_made_trained_stopped_and_deleted(site: Site, window: Window) -> None:
    made = site.post("example/", {})
    site.post(f"results/stop/{made['results'][0]['id']}", {})

    show(window, site, "configurations/new")
    wait_for(lambda: texts(window, ".box"), SOON, "the models")
    press(window, "Save")
    says(window, ".field-error, .problem", "at least")
    enter(window, name="digits example")
    click(window, ".box input")
    press(window, "Save")
    says(window, ".field-error", "already")
    enter(window, name="second")
    press(window, "Save")
    says(window, ".figures-link", "second")

    follow(window, "Train")
    wait_for(
        lambda: window.evaluate("document.querySelector('#field-configuration')?.value") == "2", SOON, "it"
    )
    enter(window, tf_kwargs_fit="epochs=none", batch="0")
    press(window, "Start")
    says(window, ".field-error", "greater than 0")
    enter(window, batch="8")
    press(window, "Start")
    says(window, ".problem", "epochs")
    enter(window, tf_kwargs_fit="epochs=3, verbose=2")
    press(window, "Start")
    says(window, ".page-title", "result 2")
    (deployment,) = site.get("deployments/2")
    assert (deployment["batch"], deployment["tf_kwargs_fit"]) == (8, "epochs=3, verbose=2")

    confirm(window, "Stop")
    says(window, ".state", "Stopped")
    confirm(window, "Delete")
    says(window, ".page-title", "Results")
    wait_for(lambda: [each["id"] for each in site.get("results/")] == [1], SOON, "the result to be deleted")
    assert unexpected(window) == []


def test_a_stream_is_sent_again(site: Site, window: Window) -> None:
    made = site.post("example/", {})
    site.post(f"results/stop/{made['results'][0]['id']}", {})
    again = site.post("deployments/", {"configuration": made["configuration"]["id"]})
    site.post(f"results/stop/{again['results'][0]['id']}", {})

    show(window, site, "datasources")
    says(window, ".figures-link", "handwritten digits")
    press(window, "Send again")
    assert window.evaluate("document.querySelector('#field-again')?.value") == str(again["id"])
    window.evaluate("(document.querySelector('#confirm .main').click(), null)")

    wait_for(lambda: len(texts(window, ".figures-link")) == 2, SOON, "the second row")
    rows = site.get("datasources/")
    assert {each["deployment"] for each in rows} == {str(made["id"]), str(again["id"])}
    assert len({each["topic"] for each in rows}) == 1
    assert unexpected(window) == []


def test_a_model_is_imported_and_compared(site: Site, window: Window) -> None:
    made = site.post("example/", {})
    site.post(f"results/stop/{made['results'][0]['id']}", {})
    show(window, site, "import")
    wait_for(
        lambda: window.evaluate("document.querySelector('#field-configuration')?.value"), SOON, "the form"
    )
    press(window, "Import")
    says(window, ".field-error", "choose a file")

    for loss, begin in ((0.5, "no model"), (0.5, "\\x89HDF\\r\\n\\x1a\\n"), (0.25, "\\x89HDF\\r\\n\\x1a\\n")):
        show(window, site, "import")
        wait_for(lambda: window.evaluate("document.querySelector('#field-configuration')?.value"), SOON, "it")
        enter(window, metrics=json.dumps({"train_metrics": {"loss": [1, loss]}}))
        window.evaluate(
            f"""(() => {{
              const found = new DataTransfer();
              const bytes = Uint8Array.from('{begin}', (each) => each.charCodeAt(0));
              found.items.add(new File([bytes], 'model.h5'));
              document.querySelector('#field-file').files = found.files;
              return null;
            }})()"""
        )
        press(window, "Import")
        if begin == "no model":
            says(window, ".field-error", "expected a Keras file")
        else:
            says(window, ".state", "Finished")
    says(window, ".chart-line", "Training")

    first, second = sorted(each["id"] for each in site.get("results/") if each["state"] == "finished")
    show(window, site, f"compare/{first}/{second}")
    says(window, ".plain th", "loss, training")
    assert {"0.5000", "0.2500"} <= {*texts(window, ".plain td")}
    wait_for(
        lambda: window.evaluate("document.querySelectorAll('.chart canvas').length") == 1, SOON, "the curves"
    )
    photo(window, "compare")
    assert unexpected(window) == []


def test_empty_lists_say_what_to_do_next(site: Site, window: Window) -> None:
    for name in LISTS:
        show(window, site, name)
        wait_for(lambda: texts(window, "main .message .heading"), SOON, name)
        assert len(texts(window, "main .message .lead")[0]) > 40
        assert texts(window, "main .message a")
        assert texts(window, ".nav-link[aria-current=page]")

    show(window, site, "nowhere")
    says(window, "main .heading", "There is no such page")
    show(window, site, "results/99")
    says(window, "main .heading", "There is no result 99")
    assert window.complaints == []


def test_the_api_has_its_paths(site: Site) -> None:
    for name in LISTS:
        assert site.get(f"{name}/") == []
    assert b"<!doctype html>" in get(site.address)


def test_users_see_whether_they_may_change_anything(tmp_path: Path, browser: Browser) -> None:
    file = tmp_path / "users.json"
    users(file, "add", "ann")
    users(file, "add", "bob", "--role", "trainer")
    with ExitStack() as stack:
        address = start(stack, tmp_path, USERS=str(file)).address
        for name, may_change in (("ann", False), ("bob", True)):
            with open_page(browser, address, expected=("403",)) as page:
                expect(page).to_have_url(re.compile("/login"))
                log_in(page, name)
                expect(page.get_by_role("heading", name="Train models on streams")).to_be_visible()
                expect(page.locator("#user")).to_have_text(name)
                if may_change:
                    expect(page.locator("#rights")).to_be_empty()
                    continue
                expect(page.locator("#rights")).to_contain_text("trainer")
                page.get_by_role("button", name="Try the example").click()
                expect(page.get_by_role("alert")).to_contain_text("trainer")
                keep(page, "training-viewer")
                page.get_by_role("button", name="Log out").click()
                expect(page).to_have_url(re.compile("/login"))


@pytest.mark.usefixtures("axe")
@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("size", [*SIZES])
def test_pages_are_accessible_and_fit(site: Site, browser: Browser, scheme: Scheme, size: str) -> None:
    made = site.post("example/", {})
    result = made["results"][0]["id"]
    routes = ["", *LISTS, "models/1", "models/new", "configurations/1", "deployments/new", "import"]
    routes += [f"results/{result}", f"compare/{result}", f"predict/{result}", "visualisation?topic=a"]
    with open_page(browser, site.address, SIZES[size], scheme) as page:
        for route in routes:
            page.evaluate("route => { location.hash = `#/${route}` }", route)
            page.wait_for_selector("main:not([aria-busy])")
            if route.startswith("models/"):
                page.wait_for_selector("#field-code .cm-content")
            expect_accessible(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0], route
            assert page.evaluate("document.querySelectorAll('.page-title').length") == 1, route
            keep(page, f"training-{size}-{scheme}-{route.split('?')[0].replace('/', '-') or 'start'}")


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
        page.wait_for_selector("main .message")
        assert page.evaluate("document.activeElement.textContent") == "Results"
