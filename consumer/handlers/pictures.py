"""The pixels of frames, decoded once however many models need them."""

import threading
from typing import Final

import cv2
import numpy as np

from pipeline.model_server.tensors import Array
from pipeline.wire import picture
from pipeline.wire.frame import Frame
from pipeline.wire.picture import PictureError

_MOST_BYTES: Final = 64 * 1024 * 1024
_GREY: Final = {
    1: cv2.IMREAD_GRAYSCALE,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
}


class Pictures:
    """Decodes frames for `models` models, whose workers may ask at the same time.

    A picture is kept until each model has asked for it, or for a newer one of its camera, and at most
    `most_bytes` of pixels in all: the pictures kept longest go first. The pixels are shared and read-only.
    """

    def __init__(self, models: int = 1, most_bytes: int = _MOST_BYTES) -> None:
        self._models = models
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._kept: dict[str, _Picture] = {}  # by camera, the newest last
        self._in_colour: set[str] = set()  # cameras whose last picture was asked for in colour

    def colour(self, frame: Frame) -> Array:
        """Return a frame in blue, green and red; raise PictureError if it is not a picture."""
        shared = self._picture(frame)
        with self._lock:
            self._in_colour.add(frame.camera)
        image = shared.colour()
        self._used(frame.camera, shared)
        return image

    def grey(self, frame: Frame, reduced: int) -> Array:
        """Return a frame in grey, `reduced` (1, 2 or 4) times smaller; raise PictureError like `colour`.

        Decoding directly to grey is cheapest, so this is done unless the pixels are there in colour, or are
        likely to be asked for in colour, as the camera's last picture was.
        """
        shared = self._picture(frame)
        image = shared.grey(reduced)
        self._used(frame.camera, shared)
        return image

    def forget(self, camera: str) -> None:
        """Drop what is kept of a camera."""
        with self._lock:
            self._kept.pop(camera, None)
            self._in_colour.discard(camera)

    @property
    def kept_bytes(self) -> int:
        """The bytes of all pixels that are kept."""
        with self._lock:
            return sum(shared.bytes for shared in self._kept.values())

    def _picture(self, frame: Frame) -> "_Picture":
        with self._lock:
            shared = self._kept.get(frame.camera)
            if shared is None or shared.jpeg is not frame.jpeg:
                shared = _Picture(frame.jpeg, self._models, likely_colour=frame.camera in self._in_colour)
                self._in_colour.discard(frame.camera)
                self._kept.pop(frame.camera, None)
                self._kept[frame.camera] = shared
            return shared

    def _used(self, camera: str, shared: "_Picture") -> None:
        with self._lock:
            shared.models_left -= 1
            if shared.models_left <= 0 and self._kept.get(camera) is shared:
                del self._kept[camera]
            total = sum(each.bytes for each in self._kept.values())
            while total > self._most_bytes:
                oldest = self._kept.pop(next(iter(self._kept)))
                total -= oldest.bytes


class _Picture:
    """A frame's pixels; the first to ask decodes while the others wait."""

    def __init__(self, jpeg: bytes, models: int, *, likely_colour: bool) -> None:
        self.jpeg = jpeg
        self.models_left = models
        self.bytes = 0
        self._likely_colour = likely_colour
        self._decoding = threading.Lock()
        self._colour: Array | None = None
        self._grey: dict[int, Array] = {}

    def colour(self) -> Array:
        with self._decoding:
            return self._decoded()

    def grey(self, reduced: int) -> Array:
        with self._decoding:
            if reduced not in self._grey:
                direct = self._colour is None and not self._likely_colour
                image = _decode_grey(self.jpeg, reduced) if direct else _to_grey(self._decoded(), reduced)
                self._grey[reduced] = self._kept(image)
            return self._grey[reduced]

    def _decoded(self) -> Array:
        if self._colour is None:
            self._colour = self._kept(picture.decode(self.jpeg))
        return self._colour

    def _kept(self, image: Array) -> Array:
        image.flags.writeable = False
        self.bytes += image.nbytes
        return image


def _decode_grey(jpeg: bytes, reduced: int) -> Array:
    try:
        image: Array | None = cv2.imdecode(np.frombuffer(jpeg, np.uint8), _GREY[reduced])
    except cv2.error as error:  # no bytes at all, or more pixels than OpenCV accepts
        raise PictureError(f"cannot decode {len(jpeg)} bytes as a picture: {error.err}") from None
    if image is None:
        raise PictureError(f"cannot decode {len(jpeg)} bytes as a picture")
    return image


def _to_grey(image: Array, reduced: int) -> Array:
    grey: Array = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    if reduced == 1:
        return grey
    # As in a JPEG decoder, each pixel stands for `reduced` by `reduced` others, also those at the edge.
    down, across = -grey.shape[0] % reduced, -grey.shape[1] % reduced
    if down or across:
        grey = cv2.copyMakeBorder(grey, 0, down, 0, across, cv2.BORDER_REPLICATE)
    size = grey.shape[1] // reduced, grey.shape[0] // reduced
    smaller: Array = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return smaller
