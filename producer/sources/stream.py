"""A video that comes as fast as its camera delivers it."""

import time

from producer.sources.source import Captured, CaptureError
from producer.sources.video import EndError, Video


class StreamSource:
    """A camera's video."""

    interval = 0.0

    def __init__(self, video: Video) -> None:
        self._video = video
        self._at = 0

    def due_in(self) -> float:
        """Return 0: the camera sets the pace."""
        return 0.0

    def grab(self) -> None:
        """Wait for the next frame; raise `CaptureError` if there is none."""
        try:
            self._video.read()
        except EndError:
            raise CaptureError("the camera has ended the video") from None
        self._at = time.time_ns()

    def retrieve(self) -> Captured:
        """Return the grabbed frame; raise `PictureError` if it cannot be decoded."""
        return self._video.captured(self._at)

    def close(self) -> None:
        """End the connection."""
        self._video.close()
