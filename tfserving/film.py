"""The frames of a film as JPEGs, the input of models."""

import os
from collections.abc import Iterator
from pathlib import Path


class FilmError(Exception):
    """OpenCV is not installed, or cannot read any frame of the film."""


def frames(clip: Path, step: int = 1) -> Iterator[bytes]:
    """Yield every `step`-th frame of a film; raise FilmError if it has none."""
    try:
        # The model server does not need it.
        import cv2  # noqa: PLC0415
    except ImportError as error:
        raise FilmError("OpenCV is not installed: pip install 'opencv-python-headless<5'") from error
    if not clip.is_file():
        raise FilmError(f"{clip}: no such file")
    # The error raised below says all there is to say.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    film = cv2.VideoCapture(str(clip))
    number = 0
    try:
        while film.grab():
            if number % step == 0:
                yield cv2.imencode(".jpg", film.retrieve()[1])[1].tobytes()
            number += 1
    finally:
        film.release()
    if number == 0:
        raise FilmError(f"{clip}: OpenCV cannot read any frame of it")
