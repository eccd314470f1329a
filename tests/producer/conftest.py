"""Fixtures that the producer's tests share."""

import socket
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.wire.picture import Image
from producer.settings import ProducerSettings

Environment = Callable[..., None]

GREYS = (0, 60, 120, 180, 240)
"""The brightness of the clip's frames."""


def stripes(width: int, height: int) -> Image:
    """Return black and white columns, one pixel each."""
    image = np.zeros((height, width, 3), np.uint8)
    image[:, ::2] = 255
    return image


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of a film of five grey frames, 64 x 48."""
    path = tmp_path_factory.mktemp("clip") / "clip.avi"
    # OpenCV's own writer: FFmpeg's would set FFmpeg's log level before the producer does.
    writer = cv2.VideoWriter(str(path), cv2.CAP_OPENCV_MJPEG, cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (64, 48))
    assert writer.isOpened()
    for grey in GREYS:
        writer.write(np.full((48, 64, 3), grey, np.uint8))
    writer.release()
    return path


@pytest.fixture
def closed_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Environment:
    """Set these variables, and unset those of all other settings."""
    for name in ProducerSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)

    def set_variables(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_variables
