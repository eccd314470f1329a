"""A video that comes as fast as its camera delivers it."""

import time
from typing import Final

from producer.sources.source import Captured, CaptureError, EndedError
from producer.sources.video import EndError, Video

_PAUSE: Final = 1.0  # s before a video that has ended is asked for again


class StreamSource:
    """A camera's video."""

    interval = 0.0

    def __init__(self, video: Video) -> None:
        self._video = video
        self._at = 0

    @property
    def codec(self) -> str:
        """The name of the video's decoder, such as `h264`."""
        return self._video.codec

    def due_in(self) -> float:
        """Return 0: the camera sets the pace."""
        return 0.0

    def grab(self) -> None:
        """Wait for the next frame; raise `CaptureError` if there is none."""
        try:
            self._video.read()
        except EndError:
            text = "the camera has ended the video"
            raise (EndedError(text, _PAUSE) if self._at else CaptureError(text)) from None
        self._at = time.time_ns()

    def retrieve(self) -> Captured:
        """Return the grabbed frame; raise `PictureError` if it cannot be decoded."""
        return self._video.captured(self._at)

    def close(self) -> None:
        """End the connection."""
        self._video.close()
