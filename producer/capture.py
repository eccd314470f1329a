"""Opens a camera or a video file with OpenCV, and keeps what OpenCV does not: a reason when it fails."""

import os
import time
from dataclasses import dataclass
from typing import Final

import cv2

from pipeline.picture import Image

_OPEN_TIMEOUT: Final = 5.0  # s


class CaptureError(Exception):
    """The source cannot be opened, or gives no more frames; the text says which. It holds no address."""


@dataclass(frozen=True, slots=True)
class Captured:
    """An image and when it was captured, in ns since the epoch."""

    image: Image
    at: int


class Capture:
    """An open source of images."""

    def __init__(self, source: str, *, is_file: bool, read_timeout: float) -> None:
        """Open a URL, file or device; a read from a URL waits `read_timeout` s at most."""
        _silence()
        self._loops = is_file
        self._capture = cv2.VideoCapture()
        path = source.removeprefix("file://")
        if is_file and not os.path.isfile(path):  # False, too, where a Path raises
            raise CaptureError("there is no such file")
        if source.isdecimal():
            opened = self._capture.open(int(source))
        elif source.startswith("/dev/"):
            opened = self._capture.open(source)
        else:
            opened = self._capture.open(path, cv2.CAP_FFMPEG, _options(read_timeout))
        if not opened:
            raise CaptureError("it cannot be opened: away, unreachable, or no video")

    def read(self) -> Captured:
        """Return the next image, after a file's last its first; raise `CaptureError` when there is none."""
        ok, image = self._capture.read()
        if not ok and self._loops and self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0):
            ok, image = self._capture.read()
        if not ok:
            raise CaptureError("it gives no more frames")
        return Captured(image, time.time_ns())  # type: ignore[arg-type]  # OpenCV promises no element type

    def close(self) -> None:
        """Let go of the source."""
        self._capture.release()


def _options(read_timeout: float) -> list[int]:
    return [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        round(_OPEN_TIMEOUT * 1000),
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        round(read_timeout * 1000),
        # With more threads FFmpeg decodes frames side by side, and each comes out that many frames late.
        cv2.CAP_PROP_N_THREADS,
        1,
    ]


def _silence() -> None:
    # Both print the address, with its password, when they cannot open it.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
