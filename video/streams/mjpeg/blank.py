"""The picture that MJPEG clients get when their camera falls silent: a frozen picture must not look live."""

import asyncio
from collections.abc import Callable
from typing import Final

from pipeline.wire.frame import Frame
from video.cameras.camera import Camera
from video.streams.mjpeg.framing import part

_WORDS: Final = {"no-signal": "No signal since", "broker-away": "Kafka away since", "paused": "Paused since"}


def blank(jpeg: bytes, text: str) -> bytes:
    """Return the picture as a JPEG without colour, darkened, with a line of text across its middle.

    Raises ValueError if the JPEG cannot be decoded.
    """
    # Imported here because OpenCV takes memory that only silent cameras need.
    import cv2  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    try:
        pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    except cv2.error as error:
        raise ValueError(f"the picture cannot be decoded: {error.err}") from None
    if pixels is None:
        raise ValueError("the picture cannot be decoded")
    pixels = cv2.cvtColor(pixels // 3, cv2.COLOR_GRAY2BGR)
    height, width = pixels.shape[:2]
    font = cv2.FONT_HERSHEY_SIMPLEX
    (wide, _), _ = cv2.getTextSize(text, font, 1.0, 2)
    scale = 0.8 * width / wide
    (wide, high), _ = cv2.getTextSize(text, font, scale, 2)
    place = ((width - wide) // 2, (height + high) // 2)
    cv2.putText(pixels, text, place, font, scale, (255, 255, 255), max(1, round(scale * 2)), cv2.LINE_AA)
    return cv2.imencode(".jpg", pixels)[1].tobytes()


class BlankMaker:
    """Makes a silent camera's blank picture in a thread, and passes it on as a part of the stream."""

    def __init__(self, camera: Camera, send: Callable[[bytes], None]) -> None:
        self._camera = camera
        self._send = send
        self._text = ""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Make one for the camera's present state, unless that is in progress already."""
        camera = self._camera
        text = f"{_WORDS[camera.state]} {camera.since.astimezone():%H:%M:%S}"
        if self._task is not None and text == self._text:
            return
        self.cancel()
        self._text = text
        self._task = asyncio.get_running_loop().create_task(self._make(camera.number, camera.frame, text))
        self._task.add_done_callback(self._done)

    def cancel(self) -> None:
        """Pass on no picture that is still in progress."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _make(self, number: int, frame: Frame, text: str) -> None:
        try:
            jpeg = await asyncio.to_thread(blank, frame.jpeg, text)
        except ValueError:
            return  # no player can show the frozen picture either
        if self._camera.number == number:
            self._send(part(frame._replace(jpeg=jpeg)))

    def _done(self, task: asyncio.Task[None]) -> None:
        if self._task is task:
            self._task = None
