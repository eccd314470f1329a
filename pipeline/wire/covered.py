"""What a consumer has replaced in a JPEG to stamp it, so that a reader can restore it: header `covered`.

Each patch is 12 bytes, big-endian, and what was there before: its position in the stamped JPEG, its length
there, and the length of what was there.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

MOST_PATCHES: Final = 65_536
"""The most patches of a JPEG: tiles of the largest one are a quarter of that."""

_HEAD: Final = struct.Struct("!III")


class Patch(NamedTuple):
    """A part of a stamped JPEG, `length` bytes from `at`, and the bytes in whose place it is."""

    at: int
    length: int
    before: bytes


class CoveredError(ValueError):
    """A header `covered` is damaged, or not of this JPEG."""


def encode(patches: Sequence[Patch]) -> bytes:
    """Return the header; an empty one if there are too many patches."""
    if len(patches) > MOST_PATCHES:
        return b""
    return b"".join(
        part
        for patch in patches
        for part in (_HEAD.pack(patch.at, patch.length, len(patch.before)), patch.before)
    )


def restore(stamped: bytes, header: bytes) -> bytes:
    """Return a JPEG as it was before it was stamped; raise `CoveredError` where the header does not fit.

    The result is as strange as the header: measure it before it is decoded.
    """
    source, at = memoryview(stamped), 0
    pieces: list[bytes | memoryview] = []
    for patch in _patches(header):
        if not at <= patch.at <= patch.at + patch.length <= len(stamped):
            raise CoveredError(
                f"expected patches in order within {len(stamped)} bytes, found one at {patch.at}"
            )
        pieces += source[at : patch.at], patch.before
        at = patch.at + patch.length
    return b"".join((*pieces, source[at:]))


def _patches(header: bytes) -> Iterator[Patch]:
    position = 0
    for _ in range(MOST_PATCHES):
        if position == len(header):
            return
        if position + _HEAD.size > len(header):
            raise CoveredError(f"expected a patch of {_HEAD.size} bytes and more, found the end")
        at, length, size = _HEAD.unpack_from(header, position)
        position += _HEAD.size
        before = header[position : position + size]
        if len(before) < size:
            raise CoveredError(f"expected {size} bytes of a patch, found {len(before)}")
        position += size
        yield Patch(at, length, before)
    if position < len(header):
        raise CoveredError(f"expected {MOST_PATCHES} patches at most, found more")
