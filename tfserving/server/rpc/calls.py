"""The common parts of all gRPC methods: status, deadline, and the requested model."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from tfserving.server.errors import Code, ServingError, invalid

log = logging.getLogger(__name__)

LIMIT = 1024  # bytes of a status message
LONGEST_CALL = 30.0
"""Seconds that a call may take at most. TensorFlow Serving has no limit for clients that set none."""

Outcome: TypeAlias = tuple[Any, Code, str]
"""The answer of a call, if there is one, and the code and message of its status."""


@dataclass(frozen=True, slots=True)
class ModelRef:
    """The model that a request names, with a version or a label if the request gives one."""

    name: str
    version: int | None
    label: str | None


def model_ref(request: Any) -> ModelRef:
    """Return the model that a request names; raise ServingError (INVALID_ARGUMENT) if it names none."""
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    return from_spec(request.model_spec)


def from_spec(spec: Any) -> ModelRef:
    """Return the model in a ModelSpec; raise ServingError (INVALID_ARGUMENT) if it has no name."""
    if not spec.name:
        raise invalid("ModelSpec has no name specified.")
    choice = spec.WhichOneof("version_choice")
    return ModelRef(
        spec.name,
        spec.version.value if choice == "version" else None,
        spec.version_label if choice == "version_label" else None,
    )


def fill_spec(spec: Any, name: str, signature: str | None, version: int | None) -> None:
    """Fill in the ModelSpec of a response; the version is the one that answered."""
    spec.name = name
    if signature is not None:
        spec.signature_name = signature
    if version is not None:
        spec.version.value = version


class Call:
    """A request that a thread works on, and whose client may go away meanwhile."""

    def __init__(self, seconds: float | None) -> None:
        """Take the time that the client gives it, if it says so."""
        self.has_gone = False
        self._deadline = time.monotonic() + min(LONGEST_CALL if seconds is None else seconds, LONGEST_CALL)

    def remaining(self) -> float:
        """Return the seconds until the deadline.

        Raises ServingError (CANCELLED) if the client has disconnected and no longer waits for an answer.
        """
        if self.has_gone:
            raise ServingError(Code.CANCELLED, "The client has disconnected")
        return self._deadline - time.monotonic()


def outcome(compute: Callable[[], Any]) -> Outcome:
    """Run `compute`; return its answer, and the code and message of the status. Never raises."""
    try:
        return compute(), Code.OK, ""
    except ServingError as failure:
        return None, failure.code, failure.message
    except Exception as error:
        # A bug in this server: the traceback goes to the log, not to the client.
        log.exception("A gRPC request failed")
        return None, Code.INTERNAL, f"Internal error: {type(error).__name__}"


def details(message: str) -> str:
    """Return a status message, cut off if it is too long."""
    text = message.encode("utf-8", "replace")
    if len(text) <= LIMIT:
        return text.decode()
    return text[:LIMIT].decode("utf-8", "ignore") + "...TRUNCATED"
