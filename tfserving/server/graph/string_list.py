"""Strings in the bytes of a tensor's content: their lengths as varints, then the strings."""

from collections.abc import Sequence


def decoded(content: bytes, count: int) -> list[bytes]:
    """Return `count` strings; raise ValueError if the content does not hold exactly these."""
    at = 0
    lengths = []
    for _ in range(count):
        length, at = _read_varint(content, at)
        lengths.append(length)
    if at + sum(lengths) != len(content):
        raise ValueError(f"expected {count} strings of {sum(lengths)} bytes, found {len(content) - at} bytes")
    texts = []
    for length in lengths:
        texts.append(content[at : at + length])
        at += length
    return texts


def _read_varint(content: bytes, at: int) -> tuple[int, int]:
    value = 0
    for i, byte in enumerate(content[at : at + 5]):
        value |= (byte & 0x7F) << (7 * i)
        if byte <= 0x7F:
            return value, at + i + 1
    raise ValueError("invalid length of a string")


def encoded(texts: Sequence[bytes]) -> bytes:
    """Return the content of a tensor of strings."""
    return b"".join(varint(len(text)) for text in texts) + b"".join(texts)


def varint(value: int) -> bytes:
    """Return a length as a varint."""
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])
