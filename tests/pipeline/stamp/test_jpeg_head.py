"""Heads of JPEGs: how their pixels are coded."""

import contextlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stamp import jpeg_head
from pipeline.stamp.jpeg_head import UnfitError
from pipeline.wire import picture
from tests.consumer.fakes import PROPERTY
from tests.jpegs import padded, segment, segments
from tests.pipeline.stamp.jpegs import changed, find, noise, split

JPEG = picture.encode(noise(300, 120), 72)


@PROPERTY
@given(width=st.integers(1, 700), height=st.integers(1, 700), quality=st.integers(1, 100))
def test_a_head_has_the_size_the_interval_and_the_quality(width: int, height: int, quality: int) -> None:
    jpeg = picture.encode(np.zeros((height, width, 3), np.uint8), quality)

    head = jpeg_head.read(jpeg)

    assert (head.width, head.height) == (width, height)
    assert head.interval == picture.restart_interval(width)
    assert jpeg_head.quality_of(head.components) == quality
    assert jpeg[head.size_at : head.size_at + 4] == struct.pack(">HH", height, width)


def test_a_head_ends_where_the_pixels_begin() -> None:
    assert jpeg_head.read(JPEG).length == len(split(JPEG).head)


@PROPERTY
@given(jpeg=padded(JPEG))
def test_fill_bytes_and_stand_alone_markers_change_nothing_but_positions(jpeg: bytes) -> None:
    head, plain = jpeg_head.read(jpeg), jpeg_head.read(JPEG)

    assert (head.width, head.height, head.interval) == (plain.width, plain.height, plain.interval)
    assert head.components == plain.components
    assert head.length == plain.length + len(jpeg) - len(JPEG)
    assert jpeg[head.size_at : head.size_at + 4] == struct.pack(">HH", head.height, head.width)


def test_a_component_has_its_sampling_and_its_tables() -> None:
    luma, blue, red = jpeg_head.read(JPEG).components

    assert [part.number for part in (luma, blue, red)] == [1, 2, 3]
    assert [part.sampling for part in (luma, blue, red)] == [0x22, 0x11, 0x11]
    assert {len(part.quantization) for part in (luma, blue, red)} == {64}
    assert luma.quantization != blue.quantization == red.quantization
    assert luma.dc != blue.dc == red.dc
    # A Huffman table's first 16 bytes say how many codes of each length there are.
    assert all(len(table) == 16 + sum(table[:16]) for part in (luma, blue) for table in (part.dc, part.ac))


def test_the_last_of_two_tables_with_the_same_number_counts() -> None:
    first, second = ((at, end) for marker, at, end in segments(JPEG) if marker == 0xDB)
    earlier = b"\xff\xdb\x00\x43\x00" + bytes(range(1, 65))
    jpeg = JPEG[: first[0]] + earlier + JPEG[first[0] :]

    assert jpeg_head.read(jpeg).components == jpeg_head.read(JPEG).components
    assert (
        jpeg_head.read(JPEG[: second[1]] + earlier + JPEG[second[1] :]).components
        != jpeg_head.read(JPEG).components
    )


def test_a_foreign_table_has_no_quality() -> None:
    jpeg = changed(JPEG, find(JPEG, 0xDB) + 20, b"\xfe")

    assert jpeg_head.quality_of(jpeg_head.read(jpeg).components) is None


def test_a_head_that_is_too_long_to_be_kept_is_unfit() -> None:
    comment = segment(0xFE, bytes(0x7FFD))

    assert jpeg_head.read(JPEG[:2] + comment + JPEG[2:]).components == jpeg_head.read(JPEG).components
    with pytest.raises(UnfitError, match="markers"):
        jpeg_head.read(JPEG[:2] + 2 * comment + JPEG[2:])


SEGMENTS = st.builds(
    lambda marker, length, body: bytes([0xFF, marker]) + length.to_bytes(2) + body,
    st.sampled_from([0x00, 0xC0, 0xC1, 0xC2, 0xC4, 0xDA, 0xDB, 0xDD, 0xE1, 0xEE, 0xFF]) | st.integers(0, 255),
    st.integers(0, 40) | st.integers(0, 65535),
    st.binary(max_size=40),
)
PIECES = st.sampled_from([JPEG[at:end] for _, at, end in segments(JPEG)])
HEADS = st.lists(SEGMENTS | PIECES, max_size=8).map(b"".join) | st.binary(max_size=80)


@PROPERTY
@given(head=HEADS)
def test_a_head_of_garbage_is_unfit_and_nothing_else(head: bytes) -> None:
    for data in head, b"\xff\xd8" + head:
        with contextlib.suppress(UnfitError):
            jpeg_head.read(data)


def test_an_incomplete_component_is_unfit() -> None:
    at = find(JPEG, 0xC0)
    jpeg = JPEG[: at + 2] + (16).to_bytes(2) + JPEG[at + 4 : at + 18] + JPEG[at + 19 :]

    with pytest.raises(UnfitError, match="tables"):
        jpeg_head.read(jpeg)


def test_a_head_cut_off_anywhere_is_unfit() -> None:
    head = split(JPEG).head

    for end in range(len(head)):
        with pytest.raises(UnfitError):
            jpeg_head.read(head[:end])


@PROPERTY
@given(at=st.integers(2, len(split(JPEG).head) - 1), byte=st.integers(0, 255))
def test_any_one_byte_may_be_wrong(at: int, byte: int) -> None:
    jpeg = changed(JPEG, at, bytes([byte]))

    try:
        head = jpeg_head.read(jpeg)
    except UnfitError:
        return

    assert len(head.components) == 3
    assert jpeg[head.size_at : head.size_at + 4] == struct.pack(">HH", head.height, head.width)
