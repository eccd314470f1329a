"""Errors as clients see them: a canonical code, its HTTP status and a message."""

import re
from enum import IntEnum
from http import HTTPStatus
from typing import Final

_CHECK: Final = re.compile(r"assertion failed: \[([^\[\]]+)\]")


class Code(IntEnum):
    """The canonical error codes of TensorFlow and gRPC."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16

    @property
    def http_status(self) -> int:
        """The HTTP status of a REST response with this code."""
        return _HTTP_STATUSES.get(self, HTTPStatus.INTERNAL_SERVER_ERROR)


_HTTP_STATUSES: dict[Code, int] = {
    Code.OK: HTTPStatus.OK,
    Code.INVALID_ARGUMENT: HTTPStatus.BAD_REQUEST,
    Code.FAILED_PRECONDITION: HTTPStatus.BAD_REQUEST,
    Code.OUT_OF_RANGE: HTTPStatus.BAD_REQUEST,
    Code.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    Code.PERMISSION_DENIED: HTTPStatus.FORBIDDEN,
    Code.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Code.ALREADY_EXISTS: HTTPStatus.CONFLICT,
    Code.ABORTED: HTTPStatus.CONFLICT,
    Code.RESOURCE_EXHAUSTED: HTTPStatus.TOO_MANY_REQUESTS,
    Code.CANCELLED: 499,
    Code.UNIMPLEMENTED: HTTPStatus.NOT_IMPLEMENTED,
    Code.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    Code.DEADLINE_EXCEEDED: HTTPStatus.GATEWAY_TIMEOUT,
}


class ServingError(Exception):
    """A request failed, or a model could not be loaded. The client gets the code and the message."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def reason(message: str) -> str:
    """Return TensorFlow's message; if a check within the graph has failed, only the check's own text."""
    found = _CHECK.search(message)
    return found[1] if found else message


def invalid(message: str) -> ServingError:
    """Return the error for an invalid request (INVALID_ARGUMENT)."""
    return ServingError(Code.INVALID_ARGUMENT, message)
