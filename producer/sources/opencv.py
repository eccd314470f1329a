"""What the kinds of camera share: opening and reading with OpenCV, which gives no reason when it fails."""

import os
import time
from typing import Any, Final

import cv2

from pipeline.wire import jpeg
from pipeline.wire.picture import PictureError
from producer import mjpeg
from producer.sources.source import Captured, CaptureError

_OPEN_TIMEOUT: Final = 5.0  # s
_MJPEG: Final = float(cv2.VideoWriter.fourcc(*"MJPG"))


class OpenCVSource:
    """A source that OpenCV reads, and that sets the pace itself."""

    paced = False

    def __init__(self, capture: cv2.VideoCapture) -> None:
        self._capture = capture
        self._is_mjpeg = self._leave_jpegs()
        self._at = 0

    def grab(self) -> None:
        """Wait for the next frame; raise `CaptureError` if there is none."""
        if not self._grabbed():
            raise CaptureError("it gives no more frames")
        self._at = time.time_ns()

    def retrieve(self) -> Captured:
        """Return the frame that was grabbed; raise `PictureError` if it holds no whole picture."""
        retrieved, data = self._capture.retrieve()
        if not retrieved or data is None:  # OpenCV also "retrieves" an empty multipart body
            raise PictureError("it is empty, or cannot be decoded")
        if not self._is_mjpeg:
            height, width = data.shape[:2]
            return Captured(data, width, height, self._at)  # type: ignore[arg-type]  # no element type
        try:
            picture = mjpeg.self_contained(data.tobytes())
            width, height = jpeg.size(picture)
        except jpeg.JpegError as error:
            raise PictureError(str(error)) from None
        return Captured(picture, width, height, self._at)

    def close(self) -> None:
        """Release the source."""
        self._capture.release()

    def _grabbed(self) -> bool:
        return self._capture.grab()

    def _leave_jpegs(self) -> bool:
        """Ask for the JPEGs of a stream of JPEGs as they are, not decoded; return whether they come so."""
        capture = self._capture
        is_mjpeg = capture.getBackendName() == "FFMPEG" and capture.get(cv2.CAP_PROP_FOURCC) == _MJPEG
        return is_mjpeg and capture.set(cv2.CAP_PROP_FORMAT, -1)


def open_with_ffmpeg(address: str, read_timeout: float) -> cv2.VideoCapture:
    """Open a URL or a path; a read from a URL waits `read_timeout` s at most."""
    options = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        round(_OPEN_TIMEOUT * 1000),
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        round(read_timeout * 1000),
        # With more threads FFmpeg decodes frames side by side, and each comes out that many frames late.
        cv2.CAP_PROP_N_THREADS,
        1,
    ]
    return open_capture(address, cv2.CAP_FFMPEG, options)


def open_capture(address: str | int, *how: Any) -> cv2.VideoCapture:
    """Open what `cv2.VideoCapture.open` takes; raise `CaptureError` if that fails."""
    _prepare()
    capture = cv2.VideoCapture()
    try:
        is_open = capture.open(address, *how)
    except cv2.error:  # for the number of a device that does not fit into a C int
        is_open = False
    if not is_open:
        raise CaptureError("it cannot be opened: away, unreachable, or no video")
    return capture


def _prepare() -> None:
    # Both print the address, with its password, when they cannot open it.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    # By default, FFmpeg buffers 20 frames to estimate their rate, so the first pictures would be that old.
    # `rtsp_transport;tcp` restates OpenCV's default, because setting this variable replaces it.
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp|fpsprobesize;0")
