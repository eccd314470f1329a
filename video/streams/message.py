"""Messages of a WebSocket as complete frames (RFC 6455, section 5.2): made once, written to many clients."""

import struct
from typing import Final

PONG: Final = b"\x8a\x00"
"""A pong that nobody has asked for, which every client ignores (section 5.5.3)."""

_TEXT: Final = 0x81  # FIN and the opcode
_BINARY: Final = 0x82


def text_message(text: str) -> bytes:
    """Return a text message."""
    payload = text.encode()
    return _head(_TEXT, len(payload)) + payload


def binary_message(*parts: bytes) -> bytes:
    """Return a binary message that consists of these parts."""
    return b"".join((_head(_BINARY, sum(map(len, parts))), *parts))


def _head(kind: int, length: int) -> bytes:
    if length < 126:
        return struct.pack("!BB", kind, length)
    if length < 65_536:
        return struct.pack("!BBH", kind, 126, length)
    return struct.pack("!BBQ", kind, 127, length)
