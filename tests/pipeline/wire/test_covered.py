"""What restores a JPEG as it was before it was stamped."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire.covered import CoveredError, Patch, encode, restore

# Kept, replaced by, and the bytes that were there before.
PARTS = st.lists(st.tuples(st.binary(max_size=9), st.binary(max_size=9), st.binary(max_size=9)), max_size=9)


def a_patch(at: int, length: int, before: bytes = b"", size: int | None = None) -> bytes:
    """Return a patch as it is sent, perhaps with another length than it has."""
    return struct.pack("!III", at, length, len(before) if size is None else size) + before


@given(PARTS, st.binary(max_size=9))
def test_what_was_replaced_comes_back(parts: list[tuple[bytes, bytes, bytes]], end: bytes) -> None:
    stamped, before, patches = b"", b"", []
    for kept, new, old in parts:
        patches.append(Patch(len(stamped) + len(kept), len(new), old))
        stamped += kept + new
        before += kept + old

    assert restore(stamped + end, encode(patches)) == before + end


def test_nothing_replaced_is_nothing_changed() -> None:
    assert restore(b"abc", b"") == b"abc"


@pytest.mark.parametrize(
    "header",
    [
        a_patch(4, 0),
        a_patch(2, 2),
        a_patch(0, 2**32 - 1),
        a_patch(1, 1) + a_patch(0, 1),
        a_patch(0, 2) + a_patch(1, 1),
        a_patch(0, 1)[:-1],
        a_patch(0, 1, b"xy")[:-1],
        a_patch(0, 1, b"xy") + b"\0",
        a_patch(0, 1, b"xy", size=2**32 - 1),
    ],
    ids=["beyond", "over the end", "too long", "back", "overlap", "head", "cut", "rest", "huge"],
)
def test_a_header_that_does_not_fit_is_one_error(header: bytes) -> None:
    with pytest.raises(CoveredError) as caught:
        restore(b"abc", header)

    assert len(str(caught.value).splitlines()) == 1


@given(st.binary(max_size=80), st.binary(max_size=20))
def test_whatever_is_sent_is_an_error_or_no_longer_than_both(header: bytes, stamped: bytes) -> None:
    try:
        restored = restore(stamped, header)
    except CoveredError:
        return
    assert len(restored) <= len(stamped) + len(header)


@pytest.mark.exceeds("pipeline.wire.covered.MOST_PATCHES")
def test_too_many_patches_are_neither_written_nor_read() -> None:
    one, most = a_patch(0, 0), 65_536

    assert restore(b"abc", one * most) == b"abc"
    assert encode([Patch(0, 0, b"")] * (most + 1)) == b""
    with pytest.raises(CoveredError, match="at most"):
        restore(b"abc", one * (most + 1))
