"""The picture that an MJPEG client gets when its camera falls silent: no frozen picture may look live."""

import asyncio
from dataclasses import replace
from typing import Final

from video.cameras.camera import SILENT, Camera
from video.streams.mjpeg.broadcast import Broadcast
from video.streams.mjpeg.framing import part

_WORDS: Final = {"no-signal": "No signal since", "broker-away": "Kafka away since"}


def blank(jpeg: bytes, text: str) -> bytes:
    """Return the picture without colour, darkened, with a line of text in its middle, as a JPEG.

    Raises ValueError when the JPEG cannot be decoded.
    """
    # Only a camera that falls silent pays for the memory that OpenCV takes.
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


class Blanks:
    """Makes the picture once a camera, away from the event loop, and sends it to its MJPEG clients."""

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[None]] = set()

    def note(self, camera: Camera) -> None:
        """Take note that a camera's state has changed, or that a client has come to it."""
        if camera.state in SILENT and any(isinstance(each, Broadcast) for each in camera.watchers):
            text = f"{_WORDS[camera.state]} {camera.since.astimezone():%H:%M:%S}"
            sending = self._send(camera, camera.number, text)
            task = asyncio.get_running_loop().create_task(sending)
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _send(self, camera: Camera, number: int, text: str) -> None:
        frame = camera.frame
        try:
            jpeg = await asyncio.to_thread(blank, frame.jpeg, text)
        except ValueError:  # the frozen picture was none either
            return
        if camera.number != number:
            return
        chunk = part(replace(frame, jpeg=jpeg))
        for watcher in camera.watchers:
            if isinstance(watcher, Broadcast):
                watcher.replace(chunk)
