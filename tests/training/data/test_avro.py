"""Format AVRO: records of numbers and booleans, and what does not fit."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data import avro

HCOPD = {
    "type": "record",
    "name": "HCOPD",
    "namespace": "io.kafka-ml",
    "fields": [{"name": name, "type": "float"} for name in ("gender", "age", "smoking")],
}
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(width=32, allow_nan=False),
    "double": st.floats(allow_nan=False),
}
TYPES = st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=6)


def schema(*types: Any) -> str:
    fields = [{"name": f"f{number}", "type": kind} for number, kind in enumerate(types)]
    return json.dumps({"type": "record", "name": "row", "fields": fields})


def test_the_bytes_are_spelled_out() -> None:
    """As in Kafka-ML's example: three floats are 12 bytes, a boolean is one."""
    column = avro.column(json.dumps(HCOPD))

    value = column.encode({"age": 40.5, "gender": 1, "smoking": 2.0})

    assert value == struct.pack("<3f", 1, 40.5, 2)
    assert column.decode([value]).tolist() == [[1, 40.5, 2]]
    label = avro.column(schema("boolean"))
    assert label.encode({"f0": True}) == b"\1"
    assert label.decode([b"\1", b"\0"]).tolist() == [[True], [False]]


def test_whole_numbers_are_spelled_out() -> None:
    """Zigzag, 7 bits per byte."""
    assert avro.column(schema("int", "long")).decode([b"\x01\xac\x02"]).tolist() == [[-1, 150]]


@given(TYPES.flatmap(lambda types: st.tuples(st.just(types), st.tuples(*(VALUES[kind] for kind in types)))))
def test_what_is_sent_is_read_in_the_order_of_the_schema(sample: tuple[list[str], tuple[Any, ...]]) -> None:
    types, numbers = sample
    column = avro.column(schema(*types))
    record = {f"f{number}": each for number, each in enumerate(numbers)}

    rows = column.decode([column.encode(dict(reversed(record.items())))])

    assert rows.dtype == column.dtype
    assert rows.shape == (1, *column.shape)
    assert rows[0].tolist() == np.array(numbers, column.dtype).tolist()


@pytest.mark.parametrize(
    ("types", "kind"),
    [
        (["float", "float"], "float32"),
        (["boolean", "float"], "float32"),
        (["boolean", "int"], "int32"),
        (["int", "long"], "int64"),
        (["int", "float"], "float64"),
        (["boolean"], "bool"),
    ],
    ids=",".join,
)
def test_mixed_types_become_one_that_holds_all(types: list[str], kind: str) -> None:
    assert avro.column(schema(*types)).dtype == np.dtype(kind)


def test_quotes_may_be_single() -> None:
    assert avro.column(schema("float", "int").replace('"', "'")).names == ("f0", "f1")


def test_an_apostrophe_is_kept() -> None:
    text = json.dumps({**HCOPD, "doc": "a person's data"})

    assert avro.column(text).shape == (3,)


def test_logical_types_are_numbers() -> None:
    column = avro.column(schema({"type": "int", "logicalType": "date"}))

    assert column.decode([b"\x02"]).tolist() == [[1]]


def test_a_schema_may_be_an_object_or_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "data.avsc"
    file.write_text(schema("int"))

    assert avro.column(HCOPD).shape == (3,)
    assert avro.text(file) == schema("int")
    assert json.loads(avro.text(HCOPD)) == HCOPD


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "expected a record, found null"),
        ("{", "invalid JSON"),
        ("[" * 100_000, "invalid JSON"),
        ('"int"', "expected a record"),
        ('{"type": "array", "items": "int"}', "expected a record"),
        ('{"type": "record", "name": "row"}', "without fields"),
        ('{"type": "record", "name": "row", "fields": []}', "without fields"),
        ('{"type": "record", "name": "row", "fields": [7]}', "field 7: expected a name"),
        (schema(["null", "float"]), "field f0: a union cannot be used"),
        (schema("float", "string"), "field f1: a string cannot be used"),
        (schema({"type": "record", "name": "b", "fields": []}), 'field f0: type "record"'),
        (schema({"type": "array", "items": "int"}), 'field f0: type "array"'),
        (schema("bytes"), 'field f0: type "bytes"'),
        (schema(None), "field f0: type null"),
        (
            '{"type": "record", "fields": [{"name": "a", "type": "int"}, {"name": "a", "type": "int"}]}',
            "a, a",
        ),
    ],
    ids=[f"bad-{number}" for number in range(15)],
)
def test_other_schemas_are_refused_with_the_field(text: object, reason: str) -> None:
    with pytest.raises(ValueError, match=f"data_scheme: .*{reason}"):
        avro.column(text, "data_scheme")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "not a record"),
        (bytes(7), "not a record"),
        (bytes(9), "9 bytes, of which the schema describes 8"),
    ],
    ids=["empty", "short", "long"],
)
def test_values_that_do_not_fit_are_refused(value: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        avro.column(schema("float", "float")).decode([value])


def test_a_number_that_is_too_large_for_its_type_is_refused() -> None:
    long = avro.column(schema("long")).encode({"f0": 2**40})

    with pytest.raises(ValueError, match="use long"):
        avro.column(schema("int")).decode([long])


@pytest.mark.parametrize(
    "record",
    [{}, {"f0": 1, "f1": 2}, {"f0": "a"}, {"f0": None}, {"f0": 2**70}],
    ids=["no", "more", "text", "null", "large"],
)
def test_records_that_do_not_fit_are_not_sent(record: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="record"):
        avro.column(schema("int")).encode(record)


@given(TYPES, st.binary(max_size=60))
def test_any_value_is_read_or_refused(types: list[str], value: bytes) -> None:
    try:
        rows = avro.column(schema(*types)).decode([value])
    except ValueError:
        return
    assert rows.shape == (1, len(types))
