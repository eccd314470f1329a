"""The frames that wait for a model: the newest of each camera."""

import threading
import time
from collections.abc import Callable
from heapq import nsmallest
from typing import Final

from pipeline.wire.frame import Frame

_MOST: Final = 1024  # cameras whose turns are remembered; the ones served longest ago are dropped


class ModelQueue:
    """Holds at most one frame per camera; a newer one replaces one that waits.

    The camera that was served longest ago is served first, so that a fast camera cannot keep a slow one
    waiting; one of twice the `weight` is served twice as often. `replaced` is called with replaced frames,
    and `waited` with how long each frame that is taken has waited, in s.
    """

    def __init__(
        self,
        replaced: Callable[[Frame], None],
        weight: Callable[[str], float] = lambda _: 1.0,
        *,
        waited: Callable[[float], object] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._replaced = replaced
        self._weight = weight
        self._waited = waited
        self._clock = clock
        self._frames: dict[str, tuple[Frame, float]] = {}  # each with the time since when it waits
        # Which turn of a camera of weight 1 is each one's next, and when it was last served, the latest last.
        self._turns: dict[str, tuple[float, int]] = {}
        self._turn = 0.0
        self._served = 0
        self._taken: dict[int, Frame] = {}  # by id, until they are finished
        self._late: set[int] = set()  # those of them whose cameras were forgotten
        self._filled = threading.Condition()

    def put(self, frame: Frame) -> None:
        """Add a frame; never waits."""
        with self._filled:
            old = self._frames.get(frame.camera)
            self._frames[frame.camera] = frame, self._clock()
            self._filled.notify()
        if old is not None:
            self._replaced(old[0])

    def take(self, most: int, timeout: float) -> list[Frame]:
        """Return the frames of at most `most` cameras, or none if none comes within `timeout` s.

        They must be handed to `finish` later.
        """
        with self._filled:
            if not self._filled.wait_for(lambda: self._frames, timeout):
                return []
            cameras = nsmallest(most, self._frames, key=lambda camera: self._turns.get(camera, (0.0, 0)))
            begun, self._served = self._turn, self._served + 1
            for camera in cameras:
                turn = max(begun, self._turns.pop(camera, (0.0, 0))[0])
                self._turn = max(self._turn, turn)
                self._turns[camera] = turn + 1 / self._weight(camera), self._served
            while len(self._turns) > _MOST:
                del self._turns[next(iter(self._turns))]
            taken = [self._frames.pop(camera) for camera in cameras]
            frames = [frame for frame, _ in taken]
            self._taken.update((id(frame), frame) for frame in frames)
        now = self._clock()
        for _, since in taken:
            self._waited(now - since)
        return frames

    def finish(self, frames: list[Frame]) -> set[str]:
        """Report that frames have been dealt with; return the cameras that were forgotten meanwhile."""
        with self._filled:
            late = {frame.camera for frame in frames if id(frame) in self._late}
            for frame in frames:
                self._taken.pop(id(frame), None)
                self._late.discard(id(frame))
            return late

    def is_late(self, frame: Frame) -> bool:
        """Return whether the camera of a frame was forgotten after the frame was taken."""
        with self._filled:
            return id(frame) in self._late

    def forget(self, camera: str) -> None:
        """Drop a camera's frame and turn; its frames that are taken become late."""
        with self._filled:
            self._frames.pop(camera, None)
            self._turns.pop(camera, None)
            self._late.update(key for key, frame in self._taken.items() if frame.camera == camera)
