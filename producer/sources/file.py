"""A video file, looped, or a picture, in place of a camera."""

import os
import time
from dataclasses import replace

import cv2

from producer.sources import path_of
from producer.sources.opencv import OpenCVSource, open_with_ffmpeg
from producer.sources.source import Captured, CaptureError, Source, Timeouts


class FileSource(OpenCVSource):
    """A video file that starts over after its last frame. One with a single frame repeats it."""

    paced = True

    def __init__(self, capture: cv2.VideoCapture) -> None:
        super().__init__(capture)
        self._count = 0  # frames read from the file
        self._first: Captured | None = None
        self._is_still = False

    def retrieve(self) -> Captured:
        """Return the grabbed frame; raise `PictureError` if it does not hold a complete picture."""
        if self._is_still and self._first is not None:
            return replace(self._first, at=time.time_ns())
        captured = super().retrieve()
        if self._count == 1:
            self._first = captured
        return captured

    def _grabbed(self) -> bool:
        if super()._grabbed() or (self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0) and super()._grabbed()):
            self._count += 1
            return True
        self._is_still = self._count == 1
        return self._is_still


def open_source(link: str, timeouts: Timeouts) -> Source:
    """Open the file that a path or a `file://` URL names; raise `CaptureError` if that fails."""
    path = path_of(link)
    if not os.path.isfile(path):  # returns False for a path that is too long, where Path.is_file raises
        raise CaptureError("there is no such file")
    return FileSource(open_with_ffmpeg(path, timeouts))
