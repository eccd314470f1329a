"""The bodies of requests that wait for a thread, or have one."""

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, Final, TypeVar

MOST_HELD: Final = 128 << 20
"""Bytes of all large bodies. Beyond that, the largest that waits is dropped; of equal ones, the oldest."""

SMALL: Final = 256 << 10
"""Bytes of a body that is never given up, and not counted: there are only so many requests."""

TOO_MANY: Final = "Too many large requests at the same time: try again"

_Answer = TypeVar("_Answer")


class Held:
    """Hands bodies to the threads of an executor. Use it in one event loop."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._large: dict[Future[Any], int] = {}  # bytes, in the order of arrival
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """The bytes of all large bodies."""
        with self._lock:
            return sum(self._large.values())

    def submit(self, work: Callable[[bytes], _Answer], body: bytes) -> Future[_Answer]:
        """Let a thread work on a body, which is held until then; whoever cancels the work frees the body."""
        holder = [body]
        future = self._executor.submit(lambda: work(holder.pop()))
        if len(body) > SMALL:
            with self._lock:
                self._large[future] = len(body)
        # The executor keeps what was cancelled in its queue.
        future.add_done_callback(lambda _: holder.clear())
        future.add_done_callback(self._free)
        return future

    def give_up(self, size: int) -> bool:
        """Cancel the work on the largest waiting body of at least `size` bytes; return whether one was."""
        with self._lock:
            large = [future for future in self._large if self._large[future] >= size]
            large.sort(key=lambda future: self._large[future], reverse=True)
        return any(future.cancel() for future in large)

    def _free(self, future: Future[Any]) -> None:
        with self._lock:
            self._large.pop(future, None)
