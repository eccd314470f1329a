"""A training service with its broker, and what tests do on its pages in either browser."""

import json
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

import pytest

from tests.e2e.browsing import picture
from tests.e2e.conftest import Window
from tests.e2e.test_browsers import texts
from tests.parts import Service, embedded_broker, get, wait_for
from tests.training.running import settings as settings_of

LISTS: Final = ("models", "configurations", "deployments", "results", "datasources", "inferences")
SOON: Final = 30.0
CHECKED: Final = 120.0
"""s that a check of code may take on a busy machine: it starts TensorFlow."""

EDITOR: Final = "document.querySelector('#field-code').shadowRoot"

_CONTROL: Final = "KAFKA_ML_CONTROL_TOPIC"
_REFUSED: Final = ("400", "404")
"""Parts of the browsers' own messages about refusals, which the page explains itself."""


@pytest.fixture(name="window", params=[0, 1], ids=["chromium", "firefox"])
def each_window(request: pytest.FixtureRequest, windows: tuple[Window, Window]) -> Window:
    """A page in each browser, which all tests of a module share."""
    return windows[request.param]


@dataclass(frozen=True, slots=True)
class Site:
    """A training service."""

    address: str
    bootstrap: str
    settings: dict[str, str]
    folder: Path
    services: list[Service]
    token: str = ""

    def get(self, path: str) -> Any:
        """Return the JSON at a path."""
        return json.loads(get(f"{self.address}{path}"))

    def send(self, method: str, path: str, sent: object = None) -> Any:
        """Return the JSON of the answer to a request that changes something."""
        body = json.dumps({} if sent is None else sent).encode()
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = Request(f"{self.address}{path}", body, headers, method=method)
        with urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def stop(self) -> None:
        """Stop the service."""
        self.services[-1].stop()

    def start_again(self, stack: ExitStack) -> None:
        """Start the service that was stopped, on the same database."""
        tag = f"-{len(self.services)}"
        service = stack.enter_context(Service("training", self.settings, self.folder, tag))
        self.services.append(service.ready(60))


def start(stack: ExitStack, folder: Path, **settings: str) -> Site:
    """Start a broker and a training service without rows; they end with the stack."""
    topics = (f"{_CONTROL}:1", "example-digits:1", "digits-example-input:3", "digits-example-predictions:3")
    options = [part for topic in topics for part in ("--topic", topic)]
    bootstrap, _ = stack.enter_context(embedded_broker(folder, *options))
    variables = {**settings_of(bootstrap, folder), **settings}
    service = stack.enter_context(Service("training", variables, folder)).ready(60)
    return Site(f"http://{variables['DISPLAYPORT']}/", bootstrap, variables, folder, [service])


def made_of_digits(site: Site) -> dict[str, Any]:
    """Make the example, and stop its training; return its deployment."""
    made: dict[str, Any] = site.send("POST", "example/")
    site.send("POST", f"results/stop/{made['results'][0]['id']}")
    return made


def show(window: Window, site: Site, route: str = "") -> None:
    """Open a page, or go to another."""
    here = window.evaluate("location.href") or ""
    if here.startswith(site.address):
        window.evaluate(f"(location.hash = '#/{route}', null)")
    else:
        window.open(f"{site.address}#/{route}")
    is_shown = (
        f"location.hash === '#/{route}' && !document.querySelector('main').hasAttribute('aria-busy')"
        " && document.querySelector('main').childElementCount > 0"
    )
    wait_for(lambda: window.evaluate(is_shown), SOON, f"the page {route}")


def follow(window: Window, words: str) -> None:
    """Click the link with these words."""
    links = "[...document.querySelectorAll('main a')].filter((each) => each.getClientRects().length)"
    found = f"{links}.find((each) => each.textContent.trim() === {json.dumps(words)})"
    wait_for(lambda: window.evaluate(f"!!{found}"), SOON, f"the link {words}")
    window.evaluate(f"({found}.click(), null)")


def says(window: Window, selector: str, words: str, timeout: float = SOON) -> None:
    """Wait until an element that can be seen contains these words."""
    elements = f"[...document.querySelectorAll('{selector}')].filter((each) => each.getClientRects().length)"
    found = f"{elements}.some(({{textContent}}) => textContent.includes({json.dumps(words)}))"
    wait_for(lambda: window.evaluate(found), timeout, f"{words}; {selector} says {texts(window, selector)}")


def confirm(window: Window, words: str, row: str = "main") -> None:
    """Answer the question before something is stopped or deleted: first no, then yes."""
    question = "document.querySelector('#confirm').open"
    button = f"[...document.querySelectorAll('{row} button')].find((each) => each.textContent === '{words}')"
    for answer in ("Cancel", words):
        wait_for(lambda: window.evaluate(f"!!{button}"), SOON, f"the button {words}")
        window.evaluate(f"({button}.focus(), {button}.click(), null)")
        assert window.evaluate(question)
        inside = "[...document.querySelectorAll('#confirm button')]"
        window.evaluate(f"({inside}.find((each) => each.textContent === '{answer}').click(), null)")
        wait_for(lambda: not window.evaluate(question), SOON, "the question to be answered")


def value_of(window: Window, field: str) -> str:
    """Return what a field of a form has; empty if it is not there."""
    return window.evaluate(f"document.querySelector('#field-{field}')?.value ?? ''") or ""


def photo(window: Window, name: str) -> None:
    """Save a picture of the page, to be looked at after the run."""
    window.keep(picture(f"training-{name}-{type(window).__name__.lower()}"))


def unexpected(window: Window) -> list[str]:
    """Return the complaints of the browser, except its own about refusals."""
    return [text for text in window.complaints if not any(part in text for part in _REFUSED)]
