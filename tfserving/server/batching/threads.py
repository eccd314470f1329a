"""The threads that run batches, shared by the queues of all models."""

import logging
import threading
from collections import deque

from tfserving.server.batching.batch_parameters import Threads
from tfserving.server.batching.queue import Queue, Task

log = logging.getLogger(__name__)


class BatchThreads:
    """Runs the batches of several queues in turn."""

    def __init__(self, threads: Threads) -> None:
        self.name = threads.name
        self._queues: deque[Queue] = deque()
        self._changed = threading.Condition()
        self._stopped = False
        self._threads = [
            # A run that never ends must not keep the process alive.
            threading.Thread(target=self._work, name=f"{threads.name}_{i}", daemon=True)
            for i in range(threads.count)
        ]
        for thread in self._threads:
            thread.start()

    def put(self, queue: Queue, task: Task) -> list[Task]:
        """Add a request to a queue and return its parts; raise ServingError if the queue refuses it."""
        with self._changed:
            parts = queue.put(task)
            if queue not in self._queues:
                self._queues.append(queue)
            # Each ready batch needs a thread to run it, and an open batch one to wait for its timeout.
            self._changed.notify(len(parts))
        return parts

    def close(self) -> None:
        """Stop the threads, each after its current batch; batches that are still queued do not run."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _work(self) -> None:
        while (found := self._next()) is not None:
            queue, batch = found
            try:
                queue.process(batch)
            except Exception:
                # If this thread ended, batches of all models would be left waiting.
                log.exception("A batch of %d requests failed", len(batch))

    def _next(self) -> tuple[Queue, list[Task]] | None:
        with self._changed:
            while not self._stopped:
                for _ in range(len(self._queues)):
                    queue = self._queues.popleft()
                    batch = queue.take()
                    if queue.ready_in() < float("inf"):
                        self._queues.append(queue)
                    if batch:
                        # This thread no longer waits for timeouts, so another one has to.
                        self._changed.notify()
                        return queue, batch
                soonest = min((queue.ready_in() for queue in self._queues), default=None)
                self._changed.wait(soonest)
        return None
