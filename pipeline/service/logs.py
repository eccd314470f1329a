"""Logging of the services: one line per event, on standard error."""

import json
import logging
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Literal

from pipeline.service.masking import hide

log = logging.getLogger(__name__)

_EVERY: Final = 60.0  # s between two lines of the same kind
_MOST_KINDS: Final = 1_000


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{record.msecs:03.0f}",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": hide(record.getMessage()),
        }
        if record.exc_info:
            fields["traceback"] = hide(self.formatException(record.exc_info))
        return json.dumps(fields, ensure_ascii=False)


class _TextLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return hide(super().format(record))


def configure(level: str, form: Literal["auto", "text", "json"]) -> None:
    """Send the root logger to standard error, as text or as JSON lines (`auto`: text on a terminal)."""
    handler = logging.StreamHandler(sys.stderr)
    as_text = form == "text" or (form == "auto" and sys.stderr.isatty())
    text = _TextLines("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")
    handler.setFormatter(text if as_text else _JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def take_uncaught() -> None:
    """Log what Python would print as it is, with any secrets: errors that end a thread, and warnings."""
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda end: _log_uncaught(end.exc_type, end.exc_value, end.exc_traceback)


def _log_uncaught(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> None:
    log.critical("an error has ended a thread", exc_info=(kind, error or kind(), trace))


class Seldom:
    """Logs at most `most` lines of each kind of event in a minute; further ones are only counted."""

    def __init__(self, log: logging.Logger, most: int = 1) -> None:
        self._log = log
        self._most = most
        self._lock = threading.Lock()
        self._kinds: dict[str, _Lines] = {}

    def warning(self, kind: str, text: str | Callable[[], str]) -> None:
        """Log `text`, or what it returns, unless this kind was logged too often within the last minute."""
        self._line(logging.WARNING, kind, text)

    def info(self, kind: str, text: str) -> None:
        """Log `text` as something that is no trouble."""
        self._line(logging.INFO, kind, text)

    def _line(self, level: int, kind: str, text: str | Callable[[], str]) -> None:
        now = time.monotonic()
        with self._lock:
            lines = self._kinds.get(kind)
            if lines is None or now - lines.since >= _EVERY:
                held_back = lines.held_back if lines else 0
                lines = self._kinds[kind] = _Lines(now)
                if len(self._kinds) > _MOST_KINDS:
                    del self._kinds[next(iter(self._kinds))]
            elif lines.count < self._most:
                held_back = 0
            else:
                lines.held_back += 1
                return
            lines.count += 1
        more = f" (and {held_back} more of this kind since the last line)" if held_back else ""
        self._log.log(level, "%s%s", text() if callable(text) else text, more)


@dataclass(slots=True)
class _Lines:
    """The lines of a kind in a minute: since when, how many, and how many events went without one."""

    since: float
    count: int = 0
    held_back: int = 0
