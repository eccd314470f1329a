"""The frames that wait for a model: the newest of each camera."""

import threading
from collections.abc import Callable
from heapq import nsmallest

from pipeline.wire.frame import Frame


class Waiting:
    """Holds at most one frame a camera; a newer one takes the place of one that waits.

    The camera that was served longest ago is served first, so that a fast one cannot keep a slow one waiting.
    Each replaced frame is handed to `replaced`.
    """

    def __init__(self, replaced: Callable[[Frame], None]) -> None:
        self._replaced = replaced
        self._frames: dict[str, Frame] = {}
        self._turns: dict[str, int] = {}  # when each camera was last served
        self._turn = 0
        self._filled = threading.Condition()

    def put(self, frame: Frame) -> None:
        """Let a frame wait; never waits itself."""
        with self._filled:
            old = self._frames.get(frame.camera)
            self._frames[frame.camera] = frame
            self._filled.notify()
        if old is not None:
            self._replaced(old)

    def take(self, most: int, timeout: float) -> list[Frame]:
        """Return the frames of at most so many cameras; none where none comes within `timeout` s."""
        with self._filled:
            if not self._filled.wait_for(lambda: self._frames, timeout):
                return []
            cameras = nsmallest(most, self._frames, key=lambda camera: self._turns.get(camera, 0))
            self._turn += 1
            self._turns.update(dict.fromkeys(cameras, self._turn))
            return [self._frames.pop(camera) for camera in cameras]
