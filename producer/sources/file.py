"""A video file, looped, that stands in for a camera."""

import os

import cv2

from producer.sources import path_of
from producer.sources.opencv import OpenCVSource, open_with_ffmpeg
from producer.sources.source import CaptureError, Source


class FileSource(OpenCVSource):
    """A file that is read from its beginning again after its last frame."""

    paced = True

    def _grabbed(self) -> bool:
        return super()._grabbed() or (self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0) and super()._grabbed())


def open_source(link: str, read_timeout: float) -> Source:
    """Open the file that a path or a `file://` URL names; raise `CaptureError` if that fails."""
    path = path_of(link)
    if not os.path.isfile(path):  # unlike Path.is_file, it is False for a path that is too long
        raise CaptureError("there is no such file")
    return FileSource(open_with_ffmpeg(path, read_timeout))
