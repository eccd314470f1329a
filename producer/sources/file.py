"""A video file, looped, in place of a camera."""

import os

import cv2

from producer.sources import path_of
from producer.sources.opencv import OpenCVSource, open_with_ffmpeg
from producer.sources.source import CaptureError, Source


class FileSource(OpenCVSource):
    """A video file that starts over after its last frame."""

    paced = True

    def _grabbed(self) -> bool:
        return super()._grabbed() or (self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0) and super()._grabbed())


def open_source(link: str, read_timeout: float) -> Source:
    """Open the file that a path or a `file://` URL names; raise `CaptureError` if that fails."""
    path = path_of(link)
    if not os.path.isfile(path):  # returns False for a path that is too long, where Path.is_file raises
        raise CaptureError("there is no such file")
    return FileSource(open_with_ffmpeg(path, read_timeout))
