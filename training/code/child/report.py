"""The child's reports to its parent: one JSON object per line."""

import json
import os
import threading
from collections.abc import Mapping
from typing import Any


class Report:
    """Writes to the pipe that the parent reads."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def send(self, kind: str, value: Any = None) -> None:
        """Send a report of a kind, such as `started`, with a value that JSON can hold."""
        line = memoryview(json.dumps({"kind": kind, "value": value}).encode() + b"\n")
        with self._lock:
            while line:
                line = line[os.write(self._pipe, line) :]

    def progress(self, value: Mapping[str, Any]) -> None:
        """Report how far the task is."""
        self.send("progress", dict(value))
