"""The WebSocket protocol: pictures as complete WebSocket frames, and the browser's messages."""

import json
import math
import struct
from dataclasses import dataclass
from typing import Any, Final

from pipeline.wire.frame import is_name
from video.streams.message import binary_message

PICTURE: Final = struct.Struct("!BBHIQQHH")
"""The header before the JPEG: kind, scale, camera, number, seq, captured, width, height."""

NOT_JSON: Final = 1007
WRONG_FORM: Final = 1008
"""Close codes of RFC 6455, section 7.4.1."""

_PICTURE_KIND: Final = 1

_MOST_CAMERAS: Final = 1024
_WIDEST: Final = 65_535  # px, of any JPEG
_LATEST: Final = 1e15  # ms: beyond any browser's clock


class MessageError(ValueError):
    """A browser sent an invalid message: close with `code`; the text says why."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Watch:
    """Watch exactly these cameras, each at this width in px; 0: the full picture."""

    cameras: dict[str, int]


@dataclass(frozen=True, slots=True)
class Ack:
    """A camera's picture `number`, and all before it, have been drawn or discarded."""

    camera: int
    number: int


@dataclass(frozen=True, slots=True)
class Time:
    """Request the server's time, together with this number."""

    echo: float


def picture(
    jpeg: bytes, *, scale: int, camera: int, number: int, seq: int, captured: int, width: int, height: int
) -> bytes:
    """Return a picture as a binary message; `captured` in ns since the epoch, sizes in px of this JPEG."""
    number &= 0xFFFFFFFF
    head = PICTURE.pack(_PICTURE_KIND, scale, camera, number, seq, captured, width, height)
    return binary_message(head, jpeg)


def parse(text: str) -> Watch | Ack | Time:
    """Read a browser's message; raise `MessageError` if it is invalid."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        raise MessageError(NOT_JSON, "expected JSON") from None
    match fields:
        case {"type": "watch", "cameras": dict(cameras)}:
            return _watch(cameras)
        case {"type": "ack", "id": camera, "number": number}:
            return Ack(_whole(camera, 0xFFFF, "id"), _whole(number, 0xFFFFFFFF, "number"))
        case {"type": "time", "echo": echo}:
            return Time(_number(echo, _LATEST, "echo"))
    raise MessageError(WRONG_FORM, "expected a watch, ack or time message with its fields")


def _watch(cameras: dict[str, Any]) -> Watch:
    if len(cameras) > _MOST_CAMERAS:
        raise MessageError(WRONG_FORM, f"expected at most {_MOST_CAMERAS} cameras, found {len(cameras)}")
    if not all(map(is_name, cameras)):
        raise MessageError(WRONG_FORM, "expected camera names of 1 to 200 printable characters")
    return Watch({name: math.ceil(_number(width, _WIDEST, "width")) for name, width in cameras.items()})


def _whole(value: Any, most: int, name: str) -> int:
    if type(value) is int and 0 <= value <= most:
        return value
    raise MessageError(WRONG_FORM, f"{name}: expected a whole number from 0 to {most}")


def _number(value: Any, most: float, name: str) -> float:
    # Excludes true, which equals 1 in Python, and NaN, which fails every comparison.
    if type(value) in {int, float} and 0 <= value <= most:
        return value  # type: ignore[no-any-return]
    raise MessageError(WRONG_FORM, f"{name}: expected a number from 0 to {most:g}")
