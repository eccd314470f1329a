"""What is done again and again while models are served: looking at their folders, and at the config file."""

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
    """Look at the models' folders every `interval` s until told to stop, and retry loads that are due.

    Without an interval there are only the retries: a model's folder is looked at once when it is configured.
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
            # Without this thread no version would ever be loaded again.
            log.exception("Looking for new versions failed")


def keep_reading(catalog: Catalog, file: Path, stop: threading.Event, interval: float) -> None:
    """Put what a config file says in force every `interval` s until told to stop.

    A file that cannot be read, or that is refused, is logged, and what was in force stays.
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
