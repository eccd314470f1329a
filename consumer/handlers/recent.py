"""A value that is remembered from one frame of a camera to the next."""

import threading
from typing import Final, Generic, TypeVar

from pipeline.wire.frame import Frame

_MOST: Final = 1024  # cameras; the ones seen longest ago are dropped

_Value = TypeVar("_Value")


class Recent(Generic[_Value]):
    """Holds a value of each camera's newest frame for some seconds, for several threads at once."""

    def __init__(self, seconds: float) -> None:
        self._longest = seconds * 1e9
        self._values: dict[str, tuple[int, _Value]] = {}
        self._lock = threading.Lock()

    def get(self, frame: Frame) -> _Value | None:
        """Return the value of a frame's camera, or None if there is none of about the same time."""
        with self._lock:
            captured, value = self._values.get(frame.camera, (None, None))
        if captured is None or value is None or abs(frame.captured - captured) > self._longest:
            return None
        return value

    def put(self, frame: Frame, value: _Value) -> None:
        """Hold the value of a frame, unless there is one of a later frame."""
        with self._lock:
            captured, _ = self._values.get(frame.camera, (frame.captured, None))
            if 0 < captured - frame.captured <= self._longest:
                return
            # The camera seen last comes last, so that the first is the one to drop.
            self._values.pop(frame.camera, None)
            self._values[frame.camera] = frame.captured, value
            if len(self._values) > _MOST:
                del self._values[next(iter(self._values))]

    def forget(self, camera: str) -> None:
        """Drop the value of a camera."""
        with self._lock:
            self._values.pop(camera, None)
