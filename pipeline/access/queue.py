"""A thread for what takes long, and a limit on how many requests wait for it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")


class FullError(Exception):
    """Too many requests are waiting."""


class Queue:
    """Does one thing at a time in its own thread; at most `most` may wait for it, or be under way."""

    def __init__(self, name: str, most: int) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._most = most
        self._waiting = 0

    async def run(self, work: Callable[[], _T]) -> _T:
        """Return the result of what is done; raise `FullError` if too many are waiting already."""
        if self._waiting >= self._most:
            raise FullError
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1
