"""Open a source in a thread, because that may take long and cannot be interrupted."""

import logging
import threading
from collections.abc import Callable

from producer.sources.source import CaptureError, Source

log = logging.getLogger(__name__)


class Opening:
    """One attempt to open a source, in a thread of its own."""

    def __init__(self, open_source: Callable[[], Source]) -> None:
        self._open_source = open_source
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._is_abandoned = False
        self._outcome: Source | Exception = CaptureError("not open yet")
        threading.Thread(target=self._run, name="open", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Wait for the attempt to end; return whether it has."""
        return self._done.wait(seconds)

    def result(self) -> Source:
        """Return the open source, or raise why there is none, once the attempt has ended."""
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    def abandon(self) -> None:
        """Close the source as soon as it is open."""
        with self._lock:
            self._is_abandoned = True
            if self._done.is_set():
                self._close()

    def _run(self) -> None:
        try:
            self._outcome = self._open_source()
        except CaptureError as error:  # raised by `result`, in the thread that waits
            self._outcome = error
        except Exception as error:
            log.exception("opening a camera failed")
            self._outcome = CaptureError(f"it cannot be read: {type(error).__name__}, see the log")
        with self._lock:
            self._done.set()
            if self._is_abandoned:
                self._close()

    def _close(self) -> None:
        if not isinstance(self._outcome, Exception):
            self._outcome.close()
