"""Format RAW: every type and shape, and what does not fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from training.data import detect, raw
from training.data.raw import Raw, Text

NUMBERS = [
    "bool",
    *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)),
    *("float16", "float32", "float64", "complex64", "complex128"),
]
SHAPES = arrays.array_shapes(min_dims=0, max_dims=3, max_side=3)
SAMPLES = st.sampled_from(NUMBERS).flatmap(
    lambda name: st.lists(
        SHAPES.flatmap(lambda shape: arrays.arrays(np.dtype(name), shape)), min_size=1, max_size=1
    ).flatmap(
        lambda first: st.lists(arrays.arrays(np.dtype(name), first[0].shape), max_size=3).map(first.__add__)
    )
)
"""Arrays of one type and shape."""


@given(SAMPLES)
def test_the_bytes_of_arrays_are_read_as_these_arrays(samples: list[NDArray[np.generic]]) -> None:
    first = samples[0]
    column = raw.column(first.dtype.name, " ".join(map(str, first.shape)))

    rows = column.decode([each.tobytes() for each in samples])

    assert rows.dtype == first.dtype
    assert np.array_equal(rows, np.array(samples), equal_nan=first.dtype.kind in "fc")


@given(SAMPLES)
def test_what_is_detected_and_sent_is_read(samples: list[NDArray[np.generic]]) -> None:
    column = detect.detected(samples[0])

    rows = raw.column(*detect.described(column)).decode([detect.encoded(column, each) for each in samples])

    shape = samples[0].shape or (1,)
    assert rows.shape == (len(samples), *shape)
    kind = samples[0].dtype.kind
    assert np.array_equal(rows, np.array(samples).reshape(-1, *shape), equal_nan=kind in "fc")


@given(SAMPLES)
def test_the_other_byte_order_is_read_too(samples: list[NDArray[np.generic]]) -> None:
    swapped = [each.astype(each.dtype.newbyteorder(">")) for each in samples]
    name = samples[0].dtype.newbyteorder(">").str

    rows = raw.column(name, " ".join(map(str, samples[0].shape))).decode([each.tobytes() for each in swapped])

    assert rows.dtype.isnative
    assert np.array_equal(rows, np.array(samples), equal_nan=rows.dtype.kind in "fc")


def test_a_column_is_spelled_out() -> None:
    rows = raw.column("uint16", "2 2").decode([bytes([1, 0, 2, 0, 3, 0, 0, 1])])

    assert rows.tolist() == [[[1, 2], [3, 256]]]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("half", "float16"),
        ("float", "float32"),
        ("double", "float64"),
        ("bool", "bool"),
        (">f4", ">f4"),
        ("<u2", "uint16"),
        ("|u1", "uint8"),
        ("<U5", "<U5"),
        ("|S3", "S3"),
        ("int", "int64"),
    ],
)
def test_types_have_many_names(name: str, kind: str) -> None:
    assert raw.parse_type(name) == np.dtype(kind)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("float128", "depend on the sender's machine"),
        ("datetime64[s]", "times are not numbers"),
        ("M8", "times are not numbers"),
        ("object", "expected a numpy type"),
        ("O", "expected a numpy type"),
        ("V8", "expected a numpy type"),
        ("f4,f4", "expected a numpy type"),
        ("(2,3)f4", "expected a numpy type"),
        ("str", "expected a numpy type"),
        ("U0", "expected a numpy type"),
        ("", "expected a numpy type"),
        ("f" * 1000, "expected a numpy type"),
        (None, "type None"),
        (8, "type 8"),
    ],
    ids=lambda name: str(name)[:30],
)
def test_other_types_are_refused(name: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        raw.column(name, "1")


@given(st.text())
def test_any_name_is_a_type_or_refused(name: str) -> None:
    try:
        kind = raw.parse_type(name)
    except ValueError:
        return
    assert kind.itemsize


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("28 28", (28, 28)),
        ("1", (1,)),
        ("", ()),
        (" 3  4 ", (3, 4)),
        (None, (-1,)),
        ("-1 2", (-1, 2)),
        ([28, 28], (28, 28)),
        (784, (784,)),
    ],
    ids=str,
)
def test_shapes(text: object, shape: tuple[int, ...]) -> None:
    assert raw.parse_shape(text) == shape


@pytest.mark.parametrize("text", ["0", "a", "2,3", "-2", "-1 -1", "1.5", "9" * 5000, [None], True], ids=str)
def test_other_shapes_are_refused(text: object) -> None:
    with pytest.raises(ValueError, match="label_reshape"):
        raw.column("uint8", text, "label")


def test_a_shape_that_is_not_given_follows_from_the_data() -> None:
    column = raw.column("float32", None).settled(bytes(12))

    assert column.shape == (3,)
    assert raw.column("uint8", "-1 2").settled(bytes(6)).shape == (3, 2)
    with pytest.raises(ValueError, match="expected a multiple of 2"):
        raw.column("uint8", "-1 2").settled(bytes(5))
    with pytest.raises(ValueError, match="0 bytes"):
        raw.column("uint8", None).settled(b"")


def test_a_scalar_has_no_shape() -> None:
    assert raw.column("int32", "").decode([b"\1\0\0\0", b"\2\0\0\0"]).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        (raw.column("uint8", "28 28"), bytes(783), "783 bytes, expected 784: uint8 of shape 28 28"),
        (raw.column("uint8", ""), b"", "0 bytes, expected 1"),
        (raw.column("bool", "2"), b"\0\2", "expected bool"),
        (raw.column("string", "1"), b"\xff", "UTF-8"),
        (raw.column("<U1", "1"), b"\xff\xff\xff\x7f", "Unicode"),
    ],
    ids=["short", "empty", "bool", "string", "unicode"],
)
def test_values_that_do_not_fit_are_refused(column: Raw | Text, value: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        column.decode([value])


def test_sizes_that_make_up_for_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="3 bytes, expected 4"):
        raw.column("uint8", "4").decode([bytes(3), bytes(5)])


def test_strings_are_texts() -> None:
    rows = raw.column("string", "1").decode(["é".encode(), b""])

    assert rows.tolist() == [["é"], [""]]
    with pytest.raises(ValueError, match="one text per message"):
        raw.column("string", "2")
