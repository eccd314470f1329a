"""Background loops while models are served: search their folders, and reread the config file."""

import logging
import math
import threading
import time
from pathlib import Path

from tfserving.server.errors import ServingError
from tfserving.server.models import config
from tfserving.server.models.catalog import Catalog

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0


def keep_polling(catalog: Catalog, stop: threading.Event, interval: float) -> None:
    """Search the models' folders every `interval` s and retry loads that are due, until `stop` is set.

    Without an interval, there are only retries; a model's folder is searched once, when it is configured.
    """
    next_look = time.monotonic() + interval if interval > 0 else math.inf
    while not stop.wait(min(interval, RETRY_SECONDS) if interval > 0 else RETRY_SECONDS):
        try:
            if time.monotonic() < next_look:
                catalog.advance()
                continue
            next_look = time.monotonic() + interval
            catalog.poll()
        except Exception:
            # If this thread ended, no new version would be loaded any more.
            log.exception("Searching for new versions failed")


def keep_reading(catalog: Catalog, file: Path, stop: threading.Event, interval: float) -> None:
    """Read and apply a config file every `interval` s until `stop` is set.

    A file that cannot be read or is refused is logged, and the current config stays in effect.
    """
    while not stop.wait(interval):
        try:
            message = config.read(file)
        except ServingError as error:
            log.error("Failed to read ModelServerConfig file: %s", error)
            continue
        try:
            catalog.reconfigure(message)
        except ServingError as error:
            log.error("PollFilesystemAndReloadConfig failed to ReloadConfig: %s", error)
