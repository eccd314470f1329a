"""The pages of the training service: what users may do, logins, TLS, and whether everybody can use them."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browsing import Scheme, expect_accessible, keep, open_page
from tests.e2e.conftest import Window
from tests.e2e.test_access import PASSWORD, certificate, log_in, users
from tests.e2e.test_changes import press
from tests.e2e.test_wall import axe
from tests.e2e.training_site import LISTS, SOON, Site, each_window, made_of_digits, says, show, start
from tests.parts import wait_for

__all__ = ["axe", "each_window"]

CHANGES = (
    "Add model",
    "Add configuration",
    "Check and save",
    "Delete",
    "Edit",
    "Import",
    "Import a trained model",
    "Predict",
    "Save",
    "Send again",
    "Start",
    "Stop",
    "Train",
    "Train a configuration",
    "Train on it",
    "Try the example",
)
"""Buttons and links that lead to a change."""


OPENED = """route => new Promise((done) => {
  addEventListener("hashchange", () => setTimeout(done), { once: true });
  location.hash = `#/${route}`;
})"""
"""Opens a page, and ends once it is there."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A training service with the example, whose training was stopped, and a model that was imported."""
    with ExitStack() as stack:
        site = start(stack, tmp_path_factory.mktemp("open"))
        made_of_digits(site)
        yield site


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A training service with the example, for the viewer ann and the trainer bob."""
    folder = tmp_path_factory.mktemp("guarded")
    file = folder / "users.json"
    users(file, "add", "ann")
    users(file, "add", "bob", "--role", "trainer")
    token = users(file, "token", "bob", "test").split()[-1]
    with ExitStack() as stack:
        site = replace(start(stack, folder, USERS=str(file)), token=token)
        made_of_digits(site)
        yield site


def words_of(window: Window) -> set[str]:
    """Return the words of all buttons and links in the page that can be seen."""
    shown = (
        "[...document.querySelectorAll('main a, main button')].filter((each) => each.getClientRects().length)"
    )
    return {*window.evaluate(f"{shown}.map((each) => each.textContent.trim())")}


def test_viewers_see_everything_but_no_buttons_for_changes(guarded: Site, window: Window) -> None:
    routes = ["", *LISTS, "models/1", "models/new", "configurations/1", "deployments/new", "import"]
    window.open(f"{guarded.address}#/results/1")
    fill_in_login(window, "ann")
    says(window, ".page-title", "digits example, result 1")
    says(window, "#rights", "trainer")
    for route in [*routes, "results/1"]:
        show(window, guarded, route)
        assert not words_of(window) & {*CHANGES}, route
    press(window, "Log out")
    wait_for(lambda: "/login" in (window.evaluate("location.href") or ""), SOON, "the login page")
    assert [text for text in window.complaints if "401" not in text and "404" not in text] == []


def fill_in_login(window: Window, name: str) -> None:
    """Log in, once the login page is there."""
    wait_for(lambda: window.evaluate("!!document.querySelector('input[name=password]')"), SOON, "the login")
    for field, value in (("name", name), ("password", PASSWORD)):
        window.evaluate(f"(document.querySelector('input[name={field}]').value = {json.dumps(value)}, null)")
    window.evaluate("(document.querySelector('.submit').click(), null)")
    wait_for(lambda: window.evaluate("!!document.querySelector('#main')"), SOON, "the page")


def test_a_session_that_ends_leads_to_the_login_and_back_to_the_route(
    guarded: Site, browser: Browser
) -> None:
    with open_page(browser, f"{guarded.address}#/inferences", expected=("401",)) as page:
        log_in(page, "ann")
        expect(page).to_have_url(re.compile("#/inferences"))
        page.context.clear_cookies()
        expect(page).to_have_url(re.compile("/login"), timeout=SOON * 1000)
        log_in(page, "bob")
        expect(page).to_have_url(f"{guarded.address}#/inferences")


def test_the_pages_work_over_tls_and_below_a_root_path(browser: Browser, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    file = tmp_path / "users.json"
    users(file, "add", "bob", "--role", "trainer")
    options = {"TLSCERT": str(cert), "TLSKEY": str(key), "ROOTPATH": "/learn", "USERS": str(file)}
    with ExitStack() as stack:
        site = start(stack, tmp_path, **options)
        address = f"{site.address.replace('http', 'https')}learn/"
        page = stack.enter_context(open_page(browser, f"{address}#/visualisation", ignore_https_errors=True))
        log_in(page, "bob")
        expect(page).to_have_url(f"{address}#/visualisation")
        page.get_by_label("Topic").fill("digits-example-predictions")
        page.get_by_role("button", name="Show").click()
        expect(page.get_by_text("Connected, but no inference")).to_be_visible()
        page.get_by_role("link", name="Models").first.click()
        expect(page.get_by_role("heading", name="No models yet")).to_be_visible()


def expect_fit(page: Page, width: int, route: str) -> None:
    """Check that nothing is beyond the edge, and that the page has its heading."""
    assert page.evaluate("document.documentElement.scrollWidth") <= width, route
    assert page.evaluate("document.querySelectorAll('.page-title').length") == 1, route


@pytest.mark.usefixtures("axe")
@pytest.mark.parametrize(("size", "scheme"), [((1600, 900), "dark"), ((320, 640), "light")])
def test_pages_are_accessible_and_fit(
    site: Site, browser: Browser, size: tuple[int, int], scheme: Scheme
) -> None:
    routes = ["", *LISTS, "models/1", "models/new", "configurations/1", "deployments/new", "import"]
    routes += ["results/1", "compare/1", "predict/1", "visualisation?topic=a", "models/99"]
    with open_page(browser, site.address, size, scheme, expected=("404",)) as page:
        for route in routes:
            page.evaluate(OPENED, route)
            page.wait_for_selector("main:not([aria-busy])")
            if route in {"models/1", "models/new"}:
                page.wait_for_selector("#field-code .cm-content")
            expect_accessible(page)
            expect_fit(page, size[0], route)
            keep(page, f"training-{size[0]}-{scheme}-{route.split('?')[0].replace('/', '-') or 'start'}")
