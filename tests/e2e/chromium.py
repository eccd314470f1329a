"""Chromium, driven by Playwright, with the interface of `tests.e2e.firefox`."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

from playwright.sync_api import Browser, ConsoleMessage, Error


class Chromium:
    """One page in its own context; `complaints` are the errors and warnings on its console."""

    def __init__(self, browser: Browser) -> None:
        self.complaints: list[str] = []
        self._context = browser.new_context()
        self._page = self._context.new_page()
        self._page.on("console", self._note)
        self._page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._context.close()

    def prepare(self, script: str) -> None:
        """Run a script in each page that is loaded from now on, before the page's own."""
        self._page.add_init_script(script)

    def open(self, address: str) -> None:
        """Load a page."""
        self._page.goto(address)

    def resize(self, width: int, height: int) -> None:
        """Give the page this size in px."""
        self._page.set_viewport_size({"width": width, "height": height})

    def evaluate(self, expression: str) -> Any:
        """Return an expression's value: of JSON's types, or None, also while a page loads."""
        try:
            return self._page.evaluate(expression)
        except Error as error:
            if "navigation" in error.message:
                return None
            raise

    def type_at(self, x: int, y: int, words: str) -> None:
        """Click at a place, in px, and type."""
        self._page.mouse.click(x, y)
        self._page.keyboard.type(words)

    def keep(self, path: Path) -> None:
        """Save a picture of the page."""
        self._page.screenshot(path=path)

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)
