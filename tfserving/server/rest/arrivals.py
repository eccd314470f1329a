"""The bodies of requests while they arrive."""

import asyncio

from tfserving.server import held
from tfserving.server.errors import Code, ServingError
from tfserving.server.held import TOO_MANY, Held
from tfserving.server.rest.asgi import LARGEST_BODY, Receive


class Arrivals:
    """Reads bodies, each within `timeout` s, for the tasks of one event loop."""

    def __init__(self, timeout: float, held: Held) -> None:
        """Take those that have arrived: large ones of both give way to others."""
        self._timeout = timeout
        self._held = held
        self._arriving: dict[asyncio.Timeout, int] = {}  # bytes so far, if they are many

    async def read(self, declared: int, receive: Receive) -> bytes | None:
        """Return a complete body of a declared length, or None if the client disconnected.

        Raises ServingError if the body is too long (RESOURCE_EXHAUSTED), too slow (DEADLINE_EXCEEDED) or
        given up (UNAVAILABLE).
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
                    if size > held.SMALL and limit in self._arriving:
                        self._arriving[limit] = size
                        self._make_room(limit)
                    if not message.get("more_body", False):
                        return b"".join(parts)
        except TimeoutError:
            if limit in self._arriving:
                raise ServingError(
                    Code.DEADLINE_EXCEEDED, f"The request did not arrive within {self._timeout:g} s"
                ) from None
            raise ServingError(Code.UNAVAILABLE, TOO_MANY) from None
        finally:
            self._arriving.pop(limit, None)

    def _make_room(self, own: asyncio.Timeout) -> None:
        """Give up the largest bodies while there are too many bytes; raise TimeoutError for one's own."""
        while self._held.size + sum(self._arriving.values()) > held.MOST_HELD:
            largest = max(self._arriving, key=lambda each: self._arriving[each])
            if self._held.give_up(self._arriving[largest]):
                continue
            del self._arriving[largest]
            if largest is own:
                raise TimeoutError
            if not largest.expired():
                largest.reschedule(0)


def _too_long(size: int) -> ServingError:
    """Return the error for a body that is too long."""
    return ServingError(
        Code.RESOURCE_EXHAUSTED, f"The request is longer than {LARGEST_BODY >> 20} MiB: {size} bytes"
    )
