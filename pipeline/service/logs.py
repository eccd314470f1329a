"""Logging of the services: one line per event, on standard error."""

import json
import logging
import sys
import threading
import time
from typing import Final, Literal

_EVERY: Final = 60.0  # s between two lines of the same kind


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{record.msecs:03.0f}",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)


def configure(level: str, form: Literal["auto", "text", "json"]) -> None:
    """Send the root logger to standard error, as text or as JSON lines (`auto`: text on a terminal)."""
    handler = logging.StreamHandler(sys.stderr)
    as_text = form == "text" or (form == "auto" and sys.stderr.isatty())
    text = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")
    handler.setFormatter(text if as_text else _JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


class Seldom:
    """Logs each kind of event at most once a minute; further ones are only counted."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._kinds: dict[str, tuple[float, int]] = {}  # time of the last line, and events since

    def warning(self, kind: str, text: str) -> None:
        """Log `text`, unless this kind was logged within the last minute. There are only a few kinds."""
        now = time.monotonic()
        with self._lock:
            last, held_back = self._kinds.get(kind, (-_EVERY, 0))
            quiet = now - last < _EVERY
            self._kinds[kind] = (last, held_back + 1) if quiet else (now, 0)
        if not quiet:
            more = f" (and {held_back} more of this kind since the last line)" if held_back else ""
            self._log.warning("%s%s", text, more)
