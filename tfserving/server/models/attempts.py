"""Try to load a version, or free one, and log the result."""

import gc
import logging
import time
from collections.abc import Callable
from pathlib import Path

from tfserving.server.errors import Code, ServingError
from tfserving.server.graph.saved import SavedModel

log = logging.getLogger(__name__)


def attempt(load: Callable[[Path], SavedModel], name: str, number: int, folder: Path) -> SavedModel:
    """Return the loaded version of a model; raise ServingError for any error."""
    started = time.monotonic()
    try:
        loaded = load(folder)
    except Exception as error:
        failure = error if isinstance(error, ServingError) else _unexpected(folder, error)
        reason = (failure.code.name, failure.message)
        log.error("Loading servable: {name: %s version: %d} failed: %s: %s", name, number, *reason)
        raise failure from error
    took = time.monotonic() - started
    log.info("Successfully loaded servable version {name: %s version: %d} in %.1f s", name, number, took)
    return loaded


def free(model: SavedModel, name: str, number: int) -> None:
    """Free a version's model."""
    model.close()
    # A graph is full of reference cycles, and may hold gigabytes.
    gc.collect()
    log.info("Done unloading servable version {name: %s version: %d}", name, number)


def _unexpected(folder: Path, error: Exception) -> ServingError:
    log.error("Loading %s failed unexpectedly", folder, exc_info=error)
    return ServingError(Code.INTERNAL, f"{type(error).__name__}: {error}")
