"""A frame as the tensor that a model's only input takes."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from consumer.handlers.pictures import Pictures
from pipeline.model_server.tensors import Array, Signature
from pipeline.wire.frame import Frame

LONGEST_SIDE: Final = 2048
"""Pixels of a height or width that a signature may declare."""

_FLOATS: Final = ("float16", "float32", "float64")


@dataclass(frozen=True, slots=True)
class ImageInput:
    """A model's input that takes a batch of pictures.

    If the dtype is `string`, those are JPEGs. Otherwise they are pixels of `channels` (3: red, green, blue;
    1: grey), and a height or width of -1 stands for any size.
    """

    name: str
    dtype: str
    height: int = -1
    width: int = -1
    channels: int = 3


def image_input(signature: Signature) -> ImageInput:
    """Return a model's only input; raise ValueError if it has several, or one that takes no pictures."""
    if len(signature.inputs) != 1:
        names = ", ".join(signature.inputs) or "none"
        raise ValueError(f"expected a model with one input, which takes a picture, found the inputs {names}")
    ((name, info),) = signature.inputs.items()
    if info.dtype == "string" and (info.shape is None or len(info.shape) == 1):
        return ImageInput(name, info.dtype)
    if info.dtype == "uint8" or info.dtype in _FLOATS:
        shape = (-1, -1, -1, 3) if info.shape is None else info.shape
        if len(shape) == 4 and shape[3] in (-1, 1, 3) and 0 not in shape and max(shape) <= LONGEST_SIDE:
            return ImageInput(name, info.dtype, shape[1], shape[2], 1 if shape[3] == 1 else 3)
    shown = "any shape" if info.shape is None else list(info.shape)
    raise ValueError(
        f"the model's input {name}: expected JPEGs (string [-1]) or pixels (uint8 or floats,"
        f" [-1, height, width, 3 or 1] of at most {LONGEST_SIDE}), found {info.dtype} of {shown}"
    )


def tensor(
    frame: Frame, pictures: Pictures, target: ImageInput, *, size: int, scale: float, offset: float
) -> Array:
    """Return a frame as a batch of one.

    `size` is the height or width if the model accepts any; floats are pixel * `scale` + `offset`. Raises
    PictureError if the model takes pixels and the frame is not a picture.
    """
    if target.dtype == "string":
        return np.array([frame.jpeg], object)
    height, width = (side if side > 0 else size for side in (target.height, target.width))
    image = pictures.colour(frame)
    image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY if target.channels == 1 else cv2.COLOR_BGR2RGB)
    shrinks = height <= image.shape[0] and width <= image.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    image = cv2.resize(image, (width, height), interpolation=how)
    values = pixels(image, target.dtype, scale, offset)
    return values.reshape(1, height, width, target.channels)


def pixels(image: Array, dtype: str, scale: float, offset: float) -> Array:
    """Return pixels as a model's input takes them: bytes unchanged, floats scaled."""
    if dtype == "uint8":
        return image
    return (image * np.float32(scale) + np.float32(offset)).astype(dtype)
