"""Strings in a tensor's content."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfserving.server.graph.string_list import decoded, encoded, varint


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_strings_are_read_as_they_were_written(texts: list[bytes]) -> None:
    assert decoded(encoded(texts), len(texts)) == texts


@pytest.mark.parametrize(
    ("value", "content"), [(0, b"\x00"), (127, b"\x7f"), (128, b"\x80\x01"), (300, b"\xac\x02")]
)
def test_a_length_has_seven_bits_in_each_byte(value: int, content: bytes) -> None:
    assert varint(value) == content


@pytest.mark.parametrize(
    ("content", "count"), [(b"", 1), (b"\x02a", 1), (b"\x01ab", 1), (b"\x80", 1), (b"\xff" * 5 + b"\x01", 1)]
)
def test_any_other_content_is_refused(content: bytes, count: int) -> None:
    with pytest.raises(ValueError, match=r"strings|length"):
        decoded(content, count)
