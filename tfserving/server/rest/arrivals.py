"""The bodies of requests while they arrive, and until they are answered."""

import asyncio
from typing import Final

from tfserving.server.errors import Code, ServingError
from tfserving.server.rest.asgi import LARGEST_BODY, Receive

MOST_HELD: Final = 128 << 20
"""Bytes of the bodies of all requests. Beyond that, the largest of those that still arrive is given up."""


class Arrivals:
    """Reads bodies, each within `timeout` s, for the tasks of one event loop."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._arriving: dict[asyncio.Timeout, int] = {}  # bytes so far
        self._held = 0

    async def read(self, declared: int, receive: Receive) -> bytes | None:
        """Return a complete body of a declared length, or None if the client disconnected.

        Call `done` with its length once the request is answered. Raises ServingError if the body is too long
        (RESOURCE_EXHAUSTED), too slow (DEADLINE_EXCEEDED) or given up (UNAVAILABLE).
        """
        if declared > LARGEST_BODY:
            raise _too_long(declared)
        parts = list[bytes]()
        size = 0
        limit = asyncio.timeout(self._timeout)
        try:
            async with limit:
                self._arriving[limit] = 0
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    part = message.get("body", b"")
                    size += len(part)
                    if size > LARGEST_BODY:
                        raise _too_long(size)
                    parts.append(part)
                    self._arriving[limit] = size
                    self._make_room(limit)
                    if not message.get("more_body", False):
                        self._held += size
                        return b"".join(parts)
        except TimeoutError:
            if limit in self._arriving:
                raise ServingError(
                    Code.DEADLINE_EXCEEDED, f"The request did not arrive within {self._timeout:g} s"
                ) from None
            raise ServingError(
                Code.UNAVAILABLE, "Too many large requests arrive at the same time: try again"
            ) from None
        finally:
            self._arriving.pop(limit, None)

    def done(self, size: int) -> None:
        """Note that a request with a body of this size is answered."""
        self._held -= size

    def _make_room(self, own: asyncio.Timeout) -> None:
        """Give up the largest bodies while there are too many bytes; raise TimeoutError for one's own."""
        while self._held + sum(self._arriving.values()) > MOST_HELD:
            largest = max(self._arriving, key=lambda each: self._arriving[each])
            del self._arriving[largest]
            if largest is own:
                raise TimeoutError
            largest.reschedule(0)


def _too_long(size: int) -> ServingError:
    """Return the error for a body that is too long."""
    return ServingError(
        Code.RESOURCE_EXHAUSTED, f"The request is longer than {LARGEST_BODY >> 20} MiB: {size} bytes"
    )
