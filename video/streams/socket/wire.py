"""What goes over the socket: pictures and texts as complete WebSocket frames, and what a browser may say."""

import json
import math
import struct
from dataclasses import dataclass
from typing import Any, Final

from pipeline.wire.frame import is_name

PICTURE: Final = struct.Struct("!BBHIQQHH")
"""What stands before the JPEG: kind, scale, camera, number, seq, captured, width, height."""

NOT_JSON: Final = 1007
WRONG_FORM: Final = 1008
"""The codes of RFC 6455, 7.4.1, with which a socket is closed."""

_PICTURE_KIND: Final = 1
_TEXT: Final = 0x81  # FIN, and the opcodes of RFC 6455, 5.2
_BINARY: Final = 0x82

_MOST_CAMERAS: Final = 1024
_WIDEST: Final = 65_535  # px, of any JPEG
_LATEST: Final = 1e15  # ms: no browser's clock is past that


class MessageError(ValueError):
    """A browser's message is none that it may send: `code` is to close with, the text says why."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Watch:
    """All cameras that are wanted now, with the width in px that each is wanted in; 0: the full picture."""

    cameras: dict[str, int]


@dataclass(frozen=True, slots=True)
class Ack:
    """The picture `number` of a camera, and all before it, are drawn or discarded."""

    camera: int
    number: int


@dataclass(frozen=True, slots=True)
class Time:
    """The server's clock is wanted, with this number beside it."""

    echo: float


def picture(
    jpeg: bytes, *, scale: int, camera: int, number: int, seq: int, captured: int, width: int, height: int
) -> bytes:
    """Return a picture as a binary message; `captured` in ns since the epoch, sizes in px of this JPEG."""
    number &= 0xFFFFFFFF
    head = PICTURE.pack(_PICTURE_KIND, scale, camera, number, seq, captured, width, height)
    return b"".join((_frame_head(_BINARY, len(head) + len(jpeg)), head, jpeg))


def text(message: str) -> bytes:
    """Return a text message."""
    payload = message.encode()
    return _frame_head(_TEXT, len(payload)) + payload


def parse(message: str) -> Watch | Ack | Time:
    """Read a browser's message; raise `MessageError` for anything it may not say."""
    try:
        fields = json.loads(message)
    except (ValueError, RecursionError):
        raise MessageError(NOT_JSON, "not JSON") from None
    match fields:
        case {"type": "watch", "cameras": dict(cameras)}:
            return _watch(cameras)
        case {"type": "ack", "id": camera, "number": number}:
            return Ack(_whole(camera, 0xFFFF, "id"), _whole(number, 0xFFFFFFFF, "number"))
        case {"type": "time", "echo": echo}:
            return Time(_number(echo, _LATEST, "echo"))
    raise MessageError(WRONG_FORM, "neither watch, ack nor time, or without its fields")


def _frame_head(kind: int, length: int) -> bytes:
    if length < 126:
        return struct.pack("!BB", kind, length)
    if length < 65_536:
        return struct.pack("!BBH", kind, 126, length)
    return struct.pack("!BBQ", kind, 127, length)


def _watch(cameras: dict[str, Any]) -> Watch:
    if len(cameras) > _MOST_CAMERAS:
        raise MessageError(WRONG_FORM, f"more than {_MOST_CAMERAS} cameras")
    if not all(map(is_name, cameras)):
        raise MessageError(WRONG_FORM, "a camera's name is 1 to 200 characters that can be printed")
    return Watch({name: math.ceil(_number(width, _WIDEST, "width")) for name, width in cameras.items()})


def _whole(value: Any, most: int, name: str) -> int:
    if type(value) is int and 0 <= value <= most:
        return value
    raise MessageError(WRONG_FORM, f"{name} is a whole number, 0 to {most}")


def _number(value: Any, most: float, name: str) -> float:
    # Neither true, which Python takes for 1, nor NaN, which compares with nothing.
    if type(value) in {int, float} and 0 <= value <= most:
        return value  # type: ignore[no-any-return]
    raise MessageError(WRONG_FORM, f"{name} is a number, 0 to {most:g}")
