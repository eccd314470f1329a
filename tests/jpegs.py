"""A JPEG's segments, found without the code under test, and JPEGs with legal padding between them."""

from collections.abc import Iterator
from typing import Final

from hypothesis import strategies as st

FILL: Final = b"\xff"
STANDALONE: Final = [b"\xff\x01", *(bytes([0xFF, 0xD0 + number]) for number in range(8))]
"""The markers without a length and a body that may precede a segment: TEM, RST0 to RST7."""


def segments(jpeg: bytes) -> Iterator[tuple[int, int, int]]:
    """Return the marker, the start and the end of each segment, up to the start of scan."""
    marker, at = 0, 2
    while marker != 0xDA:
        assert jpeg[at] == 0xFF
        marker, begin = jpeg[at + 1], at
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4])
        yield marker, begin, at


def segment(marker: int, body: bytes) -> bytes:
    """Return a segment's bytes."""
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2) + body


def padded(jpeg: bytes) -> st.SearchStrategy[bytes]:
    """Return the JPEG with fill bytes and standalone markers in front of some of its segments."""
    found = list(segments(jpeg))
    gap = st.builds(
        lambda markers, fill: b"".join(markers) + FILL * fill,
        st.lists(st.sampled_from(STANDALONE), max_size=2),
        st.integers(0, 3),
    )

    def join(gaps: list[bytes]) -> bytes:
        parts = (pad + jpeg[begin:end] for pad, (_, begin, end) in zip(gaps, found, strict=True))
        return jpeg[:2] + b"".join(parts) + jpeg[found[-1][2] :]

    return st.lists(gap, min_size=len(found), max_size=len(found)).map(join)


def damaged(jpeg: bytes) -> st.SearchStrategy[bytes]:
    """Return the JPEG with some of its bytes replaced, removed or added, most of them in its head."""
    *_, (_, _, head) = segments(jpeg)
    edit = st.tuples(
        st.integers(0, head) | st.integers(0, len(jpeg)),
        st.integers(0, 3) | st.integers(0, 30),
        st.binary(max_size=3) | st.binary(max_size=30),
    )

    def apply(edits: list[tuple[int, int, bytes]]) -> bytes:
        data = jpeg
        for at, length, other in edits:
            data = data[:at] + other + data[at + length :]
        return data

    return st.lists(edit, min_size=1, max_size=4).map(apply)
