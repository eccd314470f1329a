"""A frame as the tensor that a model's only input takes."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from consumer.model_server.tensors import Array, Signature
from pipeline.wire import picture
from pipeline.wire.frame import Frame

_FLOATS: Final = ("float16", "float32", "float64")


@dataclass(frozen=True, slots=True)
class ImageInput:
    """A model's input that takes a batch of pictures.

    Those are JPEGs as they came where the dtype is `string`. Else they are pixels of `channels` (3: red,
    green, blue; 1: grey); a height or width of -1 takes any size.
    """

    name: str
    dtype: str
    height: int = -1
    width: int = -1
    channels: int = 3


def image_input(signature: Signature) -> ImageInput:
    """Return a model's only input; raise ValueError where it has others, or that takes no pictures."""
    if len(signature.inputs) != 1:
        names = ", ".join(signature.inputs) or "none"
        raise ValueError(f"one input that takes a picture is wanted, and the model's inputs are {names}")
    ((name, info),) = signature.inputs.items()
    if info.dtype == "string" and (info.shape is None or len(info.shape) == 1):
        return ImageInput(name, info.dtype)
    if info.dtype == "uint8" or info.dtype in _FLOATS:
        shape = (-1, -1, -1, 3) if info.shape is None else info.shape
        if len(shape) == 4 and shape[3] in (-1, 1, 3) and 0 not in shape:
            return ImageInput(name, info.dtype, shape[1], shape[2], 1 if shape[3] == 1 else 3)
    shown = "any shape" if info.shape is None else list(info.shape)
    raise ValueError(
        f"the model's input {name} is {info.dtype} of {shown};"
        " JPEGs (string [-1]) or pixels (uint8 or floats, [-1, height, width, 3 or 1]) are wanted"
    )


def tensor(frame: Frame, wanted: ImageInput, *, size: int, scale: float, offset: float) -> Array:
    """Return a frame as a batch of one.

    `size` stands for a height or width that the model leaves open; floats are pixel * scale + offset.
    Raises PictureError where pixels are wanted and the frame is no picture.
    """
    if wanted.dtype == "string":
        return np.array([frame.jpeg], object)
    height, width = (side if side > 0 else size for side in (wanted.height, wanted.width))
    image: Array = picture.decode(frame.jpeg)
    image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY if wanted.channels == 1 else cv2.COLOR_BGR2RGB)
    shrinks = height <= image.shape[0] and width <= image.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    image = cv2.resize(image, (width, height), interpolation=how)
    return pixels(image, wanted.dtype, scale, offset).reshape(1, height, width, wanted.channels)


def pixels(image: Array, dtype: str, scale: float, offset: float) -> Array:
    """Return the values of pixels as a model wants them: bytes as they are, floats scaled."""
    if dtype == "uint8":
        return image
    return (image * np.float32(scale) + np.float32(offset)).astype(dtype)
