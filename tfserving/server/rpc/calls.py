"""What all gRPC methods have in common: their status, their deadline, the model they ask."""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc

from tfserving.server.errors import Code, ServingError, invalid

log = logging.getLogger(__name__)

LIMIT = 1024  # bytes of a status' message

_CODES = {code.value[0]: code for code in grpc.StatusCode}

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Which:
    """The model that a request asks: its name, and a version or a label where it tells one."""

    name: str
    version: int | None
    label: str | None


def which(request: Any) -> Which:
    """Return the model that a request names; raise ServingError (INVALID_ARGUMENT) where it names none."""
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    return from_spec(request.model_spec)


def from_spec(spec: Any) -> Which:
    """Return the model of a ModelSpec; raise ServingError (INVALID_ARGUMENT) where it has no name."""
    if not spec.name:
        raise invalid("ModelSpec has no name specified.")
    choice = spec.WhichOneof("version_choice")
    return Which(
        spec.name,
        spec.version.value if choice == "version" else None,
        spec.version_label if choice == "version_label" else None,
    )


def fill_spec(spec: Any, name: str, signature: str | None, version: int | None) -> None:
    """Fill in the ModelSpec of an answer with what it has; the version is the one that answered."""
    spec.name = name
    if signature is not None:
        spec.signature_name = signature
    if version is not None:
        spec.version.value = version


def remaining(context: grpc.ServicerContext) -> float:
    """Return the seconds until a call's deadline, `math.inf` where it has none.

    Raises ServingError (CANCELLED) where the client has gone, which waits for no answer.
    """
    if not context.is_active():
        raise ServingError(Code.CANCELLED, "The client has gone away")
    seconds = context.time_remaining()
    return math.inf if seconds is None else float(seconds)


def settle(compute: Callable[[], Answer]) -> tuple[Answer | None, Code, str]:
    """Return the answer, and the code and the message of the status; never raise."""
    try:
        return compute(), Code.OK, ""
    except ServingError as failure:
        return None, failure.code, failure.message
    except Exception as error:
        # A fault of this server, not of the request: told in the log, and in no traceback to the client.
        log.exception("A gRPC request failed")
        return None, Code.INTERNAL, f"Internal error: {type(error).__name__}"


def finish(context: grpc.ServicerContext, answer: Answer | None, code: Code, message: str) -> Answer:
    """Return the answer of a call, or end the call with the status of its failure."""
    if answer is None or code != Code.OK:
        context.abort(_CODES[code], details(message))
    return answer


def details(message: str) -> str:
    """Return a status' message, cut where it is too long."""
    text = message.encode("utf-8", "replace")
    if len(text) <= LIMIT:
        return text.decode()
    return text[:LIMIT].decode("utf-8", "ignore") + "...TRUNCATED"
