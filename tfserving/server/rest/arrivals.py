"""The bodies of requests while they arrive."""

import asyncio
from functools import partial
from typing import Final

from tfserving.server import held
from tfserving.server.errors import Code, ServingError
from tfserving.server.held import TOO_MANY, Body, Held
from tfserving.server.rest.asgi import LARGEST_BODY, Receive

_NOW: Final = 0.0  # by the clock of an event loop, which is past


class Arrivals:
    """Reads bodies, each within `timeout` s, for the tasks of one event loop."""

    def __init__(self, timeout: float, held: Held) -> None:
        """Take those that have arrived: large ones of both give way to others."""
        self._timeout = timeout
        self._held = held

    async def read(self, declared: int, receive: Receive, client: str) -> bytes | None:
        """Return a client's complete body of a declared length, or None if the client disconnected.

        Raises ServingError if the body is too long (RESOURCE_EXHAUSTED), too slow (DEADLINE_EXCEEDED) or
        given up (UNAVAILABLE).
        """
        if declared > LARGEST_BODY:
            raise _too_long(declared)
        parts = list[bytes]()
        size = 0
        limit = asyncio.timeout(self._timeout)
        body = Body(client, 0, partial(_end, limit))
        try:
            async with limit:
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    part = message.get("body", b"")
                    size += len(part)
                    if size > LARGEST_BODY:
                        raise _too_long(size)
                    parts.append(part)
                    if size > held.SMALL and not _has_ended(limit):
                        body.size = size
                        if not self._held.add(body):
                            raise ServingError(Code.UNAVAILABLE, TOO_MANY)
                    if not message.get("more_body", False):
                        return b"".join(parts)
        except TimeoutError:
            if _has_ended(limit):
                raise ServingError(Code.UNAVAILABLE, TOO_MANY) from None
            raise ServingError(
                Code.DEADLINE_EXCEEDED, f"The request did not arrive within {self._timeout:g} s"
            ) from None
        finally:
            self._held.free(body)


def _end(limit: asyncio.Timeout) -> bool:
    """Stop waiting for the rest of a body, whose time may have come to an end just now."""
    if not limit.expired():
        limit.reschedule(_NOW)
    return True


def _has_ended(limit: asyncio.Timeout) -> bool:
    return limit.when() == _NOW


def _too_long(size: int) -> ServingError:
    """Return the error for a body that is too long."""
    return ServingError(
        Code.RESOURCE_EXHAUSTED, f"The request is longer than {LARGEST_BODY >> 20} MiB: {size} bytes"
    )
