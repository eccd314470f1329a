"""Opening and reading with OpenCV, shared by all kinds of camera. OpenCV gives no reason when it fails."""

import os
import time
from typing import Any, Final

import cv2

from pipeline.wire.picture import PictureError
from producer.sources.pictures import captured
from producer.sources.source import Captured, CaptureError, Timeouts

_MJPEG: Final = float(cv2.VideoWriter.fourcc(*"MJPG"))


class OpenCVSource:
    """A source that OpenCV reads and that sets the pace itself."""

    paced = False
    usual_interval = 0.0

    def __init__(self, capture: cv2.VideoCapture) -> None:
        self._capture = capture
        self._is_mjpeg = self._leave_jpegs()
        self._at = 0

    def grab(self) -> None:
        """Wait for the next frame; raise `CaptureError` if there is none."""
        if not self._grabbed():
            raise CaptureError("it delivers no more frames")
        self._at = time.time_ns()

    def retrieve(self) -> Captured:
        """Return the grabbed frame; raise `PictureError` if it does not hold a complete picture."""
        retrieved, data = self._capture.retrieve()
        if not retrieved or data is None:  # OpenCV also "retrieves" an empty multipart body
            raise PictureError("it is empty or cannot be decoded")
        if not self._is_mjpeg:
            height, width = data.shape[:2]
            return Captured(data, width, height, self._at)  # type: ignore[arg-type]  # no element type
        return captured(data.tobytes(), self._at)

    def close(self) -> None:
        """Release the source."""
        self._capture.release()

    def _grabbed(self) -> bool:
        return self._capture.grab()

    def _leave_jpegs(self) -> bool:
        """Ask OpenCV for a Motion JPEG stream's JPEGs undecoded; return whether it will deliver them."""
        capture = self._capture
        is_mjpeg = capture.getBackendName() == "FFMPEG" and capture.get(cv2.CAP_PROP_FOURCC) == _MJPEG
        return is_mjpeg and capture.set(cv2.CAP_PROP_FORMAT, -1)


def open_with_ffmpeg(address: str, timeouts: Timeouts) -> cv2.VideoCapture:
    """Open a URL or a path; the timeouts apply to URLs."""
    options = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        round(timeouts.open * 1000),
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        round(timeouts.read * 1000),
        # With several threads, FFmpeg decodes frames in parallel and delivers each that many frames late.
        cv2.CAP_PROP_N_THREADS,
        1,
    ]
    return open_capture(address, cv2.CAP_FFMPEG, options)


def open_capture(address: str | int, *how: Any) -> cv2.VideoCapture:
    """Open anything that `cv2.VideoCapture.open` accepts; raise `CaptureError` if that fails."""
    _prepare()
    capture = cv2.VideoCapture()
    try:
        is_open = capture.open(address, *how)
    except cv2.error:  # for a device number that does not fit into a C int
        is_open = False
    if not is_open:
        raise CaptureError("it cannot be opened: disconnected, unreachable, or not a video")
    return capture


def _prepare() -> None:
    # FFmpeg and OpenCV both print an address that they cannot open, including its password.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    # By default, FFmpeg buffers 20 frames to estimate their rate, so the first pictures would be that old.
    # `rtsp_transport;tcp` restates OpenCV's default, because setting this variable replaces it.
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp|fpsprobesize;0")
