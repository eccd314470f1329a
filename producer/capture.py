"""Opens a camera or a video file with OpenCV, and keeps what OpenCV does not: a reason when it fails."""

import os
import time
from dataclasses import dataclass
from typing import Final

import cv2

from pipeline import jpeg
from pipeline.picture import Image, PictureError
from producer import mjpeg

_OPEN_TIMEOUT: Final = 5.0  # s
_MJPEG: Final = float(cv2.VideoWriter.fourcc(*"MJPG"))


class CaptureError(Exception):
    """The source cannot be opened, or gives no more frames; the text says which. It holds no address."""


@dataclass(frozen=True, slots=True)
class Captured:
    """A picture, its size in pixels, and when it was captured, in ns since the epoch.

    The picture is an image, or the JPEG as it came from a source whose stream is one of JPEGs.
    """

    picture: Image | bytes
    width: int
    height: int
    at: int


class Capture:
    """An open source of pictures: `grab` waits for the next, `retrieve` returns it, where it is wanted."""

    def __init__(self, source: str, *, is_file: bool, read_timeout: float) -> None:
        """Open a URL, file or device; a read from a URL waits `read_timeout` s at most."""
        _prepare()
        self._loops = is_file
        self._at = 0
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
        self._is_mjpeg = self._leave_jpegs()

    def grab(self) -> None:
        """Wait for the next frame, after a file's last the first; raise `CaptureError` when there is none."""
        grabbed = self._capture.grab()
        if not grabbed and self._loops and self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0):
            grabbed = self._capture.grab()
        if not grabbed:
            raise CaptureError("it gives no more frames")
        self._at = time.time_ns()

    def retrieve(self) -> Captured:
        """Return the frame that was grabbed; raise `PictureError` where it holds no whole picture."""
        retrieved, data = self._capture.retrieve()
        if not retrieved or data is None:  # a part without a byte is retrieved as well
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
        """Let go of the source."""
        self._capture.release()

    def _leave_jpegs(self) -> bool:
        """Ask for the JPEGs of a stream of JPEGs as they are, not decoded; tell whether they come so."""
        capture = self._capture
        is_mjpeg = capture.getBackendName() == "FFMPEG" and capture.get(cv2.CAP_PROP_FOURCC) == _MJPEG
        return is_mjpeg and capture.set(cv2.CAP_PROP_FORMAT, -1)


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


def _prepare() -> None:
    # Both print the address, with its password, when they cannot open it.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    # FFmpeg would wait for twenty frames to learn their rate; the first pictures are so old, then. TCP is
    # what OpenCV asks for where nothing is set.
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp|fpsprobesize;0")
