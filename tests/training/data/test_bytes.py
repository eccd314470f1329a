"""The bytes that Kafka-ML's sinks write, spelled out by hand, and what is trained on them."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from tests.training.data.test_avro import HCOPD, schema
from training.data import detect, formats, raw

# Names as numpy gives them; the bytes are those of `tobytes()`, little-endian, in C order.
VALUES: list[tuple[str, str, str, Any]] = [
    ("bool", "3", "01 00 01", [True, False, True]),
    ("int8", "2", "ff 80", [-1, -128]),
    ("int16", "2", "ff ff 00 80", [-1, -32768]),
    ("int32", "2", "01 00 00 00 00 00 00 80", [1, -(2**31)]),
    ("int64", "1", "00 00 00 00 00 00 00 80", [-(2**63)]),
    ("uint8", "2 2", "00 01 fe ff", [[0, 1], [254, 255]]),
    ("uint16", "2", "02 01 ff ff", [258, 65535]),
    ("uint32", "2", "01 00 00 00 ff ff ff ff", [1, 2**32 - 1]),
    ("uint64", "1", "ff ff ff ff ff ff ff ff", [2**64 - 1]),
    ("float16", "3", "00 3c 00 c0 ff 7b", [1.0, -2.0, 65504.0]),
    ("float32", "2", "00 00 80 3f 00 00 20 c1", [1.0, -10.0]),
    ("float64", "1", "00 00 00 00 00 00 f8 3f", [1.5]),
    ("complex64", "1", "00 00 80 3f 00 00 00 40", [1 + 2j]),
    ("complex128", "1", "00 00 00 00 00 00 f0 3f 00 00 00 00 00 00 00 40", [1 + 2j]),
    ("<U2", "1", "61 00 00 00 e9 00 00 00", ["aé"]),
    ("|S3", "1", "61 62 00", [b"ab"]),
    # Scalars: an empty shape, or "1" as the sinks describe a numpy number.
    ("uint8", "", "07", 7),
    ("float32", "", "00 00 80 3f", 1.0),
    ("uint8", "1", "07", [7]),
    # A list has its length as its shape, and numpy's type.
    ("int64", "2", "01 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00", [1, 2]),
    ("float64", "2", "00 00 00 00 00 00 f8 3f 00 00 00 00 00 00 00 40", [1.5, 2.0]),
    # Kafka-ML's other names.
    ("half", "1", "00 3c", [1.0]),
    ("float", "1", "00 00 80 3f", [1.0]),
    ("double", "1", "00 00 00 00 00 00 f8 3f", [1.5]),
    ("string", "1", "61 c3 a9", ["aé"]),
]


@pytest.mark.parametrize(("kind", "shape", "data", "expected"), VALUES, ids=range(len(VALUES)))
def test_each_type_is_read_from_its_bytes(kind: str, shape: str, data: str, expected: Any) -> None:
    config = {"data_type": kind, "data_reshape": shape, "label_type": kind, "label_reshape": shape}
    decoder = formats.decoder("RAW", config)

    value = bytes.fromhex(data)

    assert decoder.features(value).tolist() == decoder.label(value).tolist() == expected


@pytest.mark.parametrize(
    ("label", "kind", "data"),
    [(7, "uint8", "07"), (True, "bool", "01"), (1.0, "float32", "00 00 80 3f"), ("é", "string", "c3 a9")],
    ids=["int", "bool", "float", "str"],
)
def test_keys_of_the_plain_sink_are_read(label: Any, kind: str, data: str) -> None:
    """It writes ints and bools as one byte, floats as four, and texts in UTF-8."""
    decoder = formats.decoder(
        "RAW", {"data_type": "uint8", "data_reshape": "1", "label_type": kind, "label_reshape": ""}
    )

    assert decoder.label(bytes.fromhex(data)).tolist() == label


def test_records_are_read_from_their_bytes() -> None:
    """Kafka-ML's example: three little-endian floats, and a boolean of one byte; no magic bytes."""
    decoder = formats.decoder("AVRO", {"data_scheme": str(HCOPD), "label_scheme": schema("boolean")})

    value = bytes.fromhex("00 00 80 3f 00 00 22 42 00 00 00 40")

    assert decoder.features(value).tolist() == [1.0, 40.5, 2.0]
    assert decoder.label(b"\1").tolist() == [True]
    assert decoder.label(b"\0").tolist() == [False]


def test_whole_numbers_of_records_are_zigzag() -> None:
    decoder = formats.decoder(
        "AVRO", {"data_scheme": schema("int", "long", "double"), "label_scheme": schema("int")}
    )

    value = bytes.fromhex("01 ac 02 00 00 00 00 00 00 f8 3f")

    assert decoder.features(value).tolist() == [-1.0, 150.0, 1.5]
    assert decoder.label(bytes.fromhex("ff ff ff ff 0f")).tolist() == [-(2**31)]
    assert decoder.label(bytes.fromhex("fe ff ff ff 0f")).tolist() == [2**31 - 1]


TEXTS = st.sampled_from(["<U1", "<U5", "|S1", "|S7", ">U3"]).flatmap(
    lambda name: arrays.arrays(np.dtype(name), arrays.array_shapes(min_dims=0, max_dims=3, max_side=3))
)


@given(TEXTS)
def test_texts_of_a_fixed_length_have_any_shape(sample: NDArray[np.generic]) -> None:
    column = raw.column(sample.dtype.str, " ".join(map(str, sample.shape)))

    rows = column.decode([sample.tobytes(), sample.tobytes()])

    assert rows.dtype.isnative
    assert rows.tolist() == [sample.tolist()] * 2


@given(st.text(st.characters(codec="utf-8"), max_size=8))
def test_texts_of_any_length_are_read(text: str) -> None:
    column = detect.detected(text)

    rows = raw.column(*detect.described(column)).decode([detect.encoded(column, text)])

    assert rows.tolist() == [[text]]
