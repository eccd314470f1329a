"""Firefox, driven by WebDriver BiDi: https://w3c.github.io/webdriver-bidi/."""

import base64
import json
import re
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from websockets.sync.client import connect

from tests.parts import Process, wait_for

_LISTENING: Final = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
_PREFERENCES: Final = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.backup.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.server": "",
}


class Firefox:
    """One page in its own Firefox; `complaints` are the errors and warnings on its console."""

    def __init__(self, path: str, folder: Path) -> None:
        self.complaints: list[str] = []
        profile = folder / "profile"
        profile.mkdir()
        lines = [
            f"user_pref({json.dumps(key)}, {json.dumps(value)});\n" for key, value in _PREFERENCES.items()
        ]
        (profile / "user.js").write_text("".join(lines))
        command = [path, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port=0"]
        self._command = [*command, "about:blank"]
        self._log = folder / "firefox.log"
        self._stack = ExitStack()
        self._number = 0

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            process = stack.enter_context(Process(self._command, {}, self._log))
            found = wait_for(lambda: _LISTENING.search(process.text), 60, "Firefox")
            self._socket = stack.enter_context(connect(f"{found[1]}/session", max_size=None))
            self._call("session.new", capabilities={})
            self._call("session.subscribe", events=["log.entryAdded"])
            self._page = self._call("browsingContext.getTree")["contexts"][0]["context"]
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def prepare(self, script: str) -> None:
        """Run a script in each page that is loaded from now on, before the page's own."""
        self._call("script.addPreloadScript", functionDeclaration=f"() => {{ {script} }}")

    def open(self, address: str, wait: str = "complete") -> None:
        """Load a page, completely or only so far that it is `interactive`."""
        self._call("browsingContext.navigate", context=self._page, url=address, wait=wait)

    def resize(self, width: int, height: int) -> None:
        """Give the page this size in px."""
        viewport = {"width": width, "height": height}
        self._call("browsingContext.setViewport", context=self._page, viewport=viewport)

    def evaluate(self, expression: str) -> Any:
        """Return an expression's value: anything that JSON can hold, or None."""
        answer = self._call(
            "script.evaluate",
            expression=f"JSON.stringify({expression})",
            target={"context": self._page},
            awaitPromise=False,
        )
        assert answer["type"] == "success", answer
        return json.loads(answer["result"].get("value", "null"))

    def type_at(self, x: int, y: int, words: str) -> None:
        """Click at a place, in px, and type."""
        moves = [{"type": "pointerMove", "x": x, "y": y}, {"type": "pointerDown", "button": 0}]
        mouse = {"type": "pointer", "id": "mouse", "actions": [*moves, {"type": "pointerUp", "button": 0}]}
        keys = [{"type": kind, "value": key} for key in words for kind in ("keyDown", "keyUp")]
        keyboard = {"type": "key", "id": "keyboard", "actions": keys}
        for actions in (mouse, keyboard):
            self._call("input.performActions", context=self._page, actions=[actions])

    def keep(self, path: Path) -> None:
        """Save a picture of the page."""
        taken = self._call("browsingContext.captureScreenshot", context=self._page)
        path.write_bytes(base64.b64decode(taken["data"]))

    def _call(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(60))
            if message.get("id") == self._number:
                assert message["type"] == "success", message
                return message["result"]
            if message.get("method") == "log.entryAdded" and message["params"]["level"] in {"error", "warn"}:
                self.complaints.append(message["params"]["text"])
