"""The bodies of requests that arrive, wait for a thread, or have one."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from tfserving.server.errors import Code, ServingError

MOST_HELD: Final = 128 << 20
"""Bytes of all large bodies. Beyond that, one of the client with the most gives way: the largest that
arrives or waits; of equal ones, the oldest."""

SMALL: Final = 256 << 10
"""Bytes of a body that is never given up, and not counted: there are only so many requests."""

TOO_MANY: Final = "Too many large requests at the same time: try again"

_Answer = TypeVar("_Answer")


@dataclass(slots=True, eq=False)
class Body:
    """A large body of a client; `give_up` returns whether it could be given up."""

    client: str
    size: int
    give_up: Callable[[], bool]


class Held:
    """Counts large bodies, and hands bodies to the threads of an executor. Use it in one event loop."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._large = dict[Body, None]()  # in the order of arrival
        self._waiting = dict[Future[Any], Callable[[], Any]]()
        self._turns = 0  # of the executor's threads, never fewer than there are bodies that wait
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """The bytes of all large bodies."""
        with self._lock:
            return sum(each.size for each in self._large)

    def add(self, body: Body) -> bool:
        """Count a body, or the size to which it has grown, and give up others while there are too many bytes.

        Return False, and do not count it, if it is the one that has to give way.
        """
        with self._lock:
            self._large[body] = None
        while self.size > MOST_HELD:
            for each in self._largest_first():
                if each is body:
                    self.free(body)
                    return False
                if each.give_up():
                    self.free(each)
                    break
        return True

    def free(self, body: Body) -> None:
        """Count a body no longer, nor give it up."""
        with self._lock:
            self._large.pop(body, None)
        body.give_up = lambda: False  # the other may refer to what refers to the body

    def submit(self, work: Callable[[bytes], _Answer], data: bytes, client: str) -> Future[_Answer]:
        """Let a thread work on a body, which is held until then; whoever cancels the work frees the body.

        Raises ServingError (UNAVAILABLE) if the body has to give way to others.
        """
        future = Future[_Answer]()
        if len(data) > SMALL:
            body = Body(client, len(data), future.cancel)
            if not self.add(body):
                raise ServingError(Code.UNAVAILABLE, TOO_MANY)
            future.add_done_callback(lambda _: self.free(body))
        holder = [data]
        with self._lock:
            self._waiting[future] = lambda: work(holder.pop())
            lacks_turn = self._turns < len(self._waiting)
            self._turns += lacks_turn
        future.add_done_callback(self._forget)
        if lacks_turn:
            # The executor keeps what is cancelled in its queue. So that this does not grow, the turns of
            # cancelled work are for the next.
            self._executor.submit(self._take_turn).add_done_callback(self._shut_down)
        return future

    def _take_turn(self) -> None:
        with self._lock:
            self._turns -= 1
        while waiting := self._first():
            future, work = waiting
            del waiting
            if not future.set_running_or_notify_cancel():
                continue
            try:
                answer = work()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(answer)
            # The traceback of an error refers to this call: so that nothing refers to the error here.
            del future, work
            return

    def _first(self) -> tuple[Future[Any], Callable[[], Any]] | None:
        with self._lock:
            if not self._waiting:
                return None
            future = next(iter(self._waiting))
            return future, self._waiting.pop(future)

    def _forget(self, future: Future[Any]) -> None:
        with self._lock:
            self._waiting.pop(future, None)

    def _shut_down(self, turn: Future[None]) -> None:
        if turn.cancelled():
            for each in list(self._waiting):
                each.cancel()

    def _largest_first(self) -> list[Body]:
        with self._lock:
            bytes_of = Counter[str]()
            for each in self._large:
                bytes_of[each.client] += each.size
            return sorted(self._large, key=lambda each: (bytes_of[each.client], each.size), reverse=True)
