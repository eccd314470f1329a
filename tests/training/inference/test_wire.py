import io
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from training.inference import wire

TYPES = st.sampled_from(["?", "u1", "<i8", ">i4", "<f2", "<f4", "<f8", "<c8", "S3"]).map(np.dtype)


def sent(array: Any) -> io.BytesIO:
    pipe = io.BytesIO()
    wire.write(pipe, array)
    pipe.seek(0)
    return pipe


@given(TYPES.flatmap(lambda kind: arrays.arrays(kind, arrays.array_shapes(min_dims=0, min_side=0))))
def test_an_array_arrives_as_it_was(array: Any) -> None:
    found = wire.read(sent(array), 2**20)

    assert found is not None
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert found.tobytes() == array.tobytes()


def test_texts_become_bytes() -> None:
    texts = np.array([["é", "b"]], object)

    found = wire.read(sent(texts), 100)

    assert found is not None
    assert found.tolist() == [["é".encode(), b"b"]]


def test_the_end_of_a_pipe() -> None:
    assert wire.read(io.BytesIO(), 10) is None
    assert wire.read(io.BytesIO(b"\1\0"), 10) is None


def test_a_reason_instead_of_an_array() -> None:
    with pytest.raises(wire.WireError, match="there is no model"):
        wire.read(sent("there is no model"), 10)
    assert wire.form(wire.refusal("x" * 10_000)[wire.LENGTH :], 10) == "x" * 512


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"[]",
        b"{}",
        b'{"dtype": "O", "shape": [1]}',
        b'{"dtype": "nonsense", "shape": [1]}',
        b'{"dtype": "<f4", "shape": [-1]}',
        b'{"dtype": "<f4", "shape": [100, 100]}',
        b'{"dtype": "<f4", "shape": ["x"]}',
        b'{"dtype": "<f4,<f4", "shape": [1]}',
        b'{"dtype": "<f4", "shape": 5}',
        b'{"dtype": "<f4", "shape": [' + b"1," * 40 + b"1]}",
        b'{"dtype": "S0", "shape": [99999999999999]}',
    ],
)
def test_what_is_not_an_array_is_refused(head: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.form(head, 1000)


def test_a_long_head_is_not_read() -> None:
    with pytest.raises(wire.WireError, match="expected at most 4096"):
        wire.length(struct.pack("<I", 4097))
