"""Wait until models are available."""

import math
import threading
import time
from collections.abc import Callable, Iterable

from tfserving.server.errors import Code, ServingError
from tfserving.server.models.model import Model

TICK_SECONDS = 0.05


def wait(unsettled: Callable[[], list[str]], stop: threading.Event, timeout: float = math.inf) -> bool:
    """Wait until `unsettled` returns no more names of models; return True if `stop` was set first.

    Raises ServingError (DEADLINE_EXCEEDED) after `timeout` s.
    """
    deadline = time.monotonic() + timeout
    while names := unsettled():
        if time.monotonic() > deadline:
            text = f"Not available after {timeout:g} s: {', '.join(sorted(names))}"
            raise ServingError(Code.DEADLINE_EXCEEDED, text)
        if stop.wait(TICK_SECONDS):
            return True
    return False


def check(models: Iterable[Model], what: str) -> None:
    """Raise ServingError (UNKNOWN) if a model has no version that could be loaded.

    `what` is the noun for the models in the message.
    """
    reasons = []
    for model in sorted(models, key=lambda model: model.name):
        failure = model.failure()
        if failure is not None and not model.is_available():
            servable = f"{{name: {model.name} version: {failure.version}}}"
            reasons.append(f"{{{servable} due to error: {failure.code.name}: {failure.message}}}, ")
    if reasons:
        text = f"{len(reasons)} {what} did not become available: {{{''.join(reasons)}}}"
        raise ServingError(Code.UNKNOWN, text)
