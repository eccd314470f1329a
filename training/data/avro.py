"""Format AVRO: values and keys are schemaless Avro records of numbers and booleans.

A row consists of a record's fields, in the order of the schema, as one vector.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final, Self

import fastavro
import numpy as np
from numpy.typing import NDArray

_TYPES: Final = {"boolean": "bool", "int": "int32", "long": "int64", "float": "float32", "double": "float64"}
_EXPECTED: Final = "expected boolean, int, long, float or double"


@dataclass(frozen=True, slots=True)
class Avro:
    """A column of records. Mixed types become the numpy type that holds all of them."""

    names: tuple[str, ...]
    types: tuple[str, ...]
    schema: Any

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the rows."""
        return np.result_type(*(_TYPES[kind] for kind in self.types))

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of fields."""
        return (len(self.names),)

    def settled(self, _: bytes) -> Self:
        """Return this column."""
        return self

    def decode(self, values: Sequence[bytes]) -> NDArray[Any]:
        """Return the rows."""
        try:
            return np.array([self._row(value) for value in values], self.dtype).reshape(-1, len(self.names))
        except OverflowError:
            raise ValueError("a number that does not fit into an int of 32 bits: use long") from None

    def encode(self, record: Mapping[str, Any]) -> bytes:
        """Return the bytes of a record; raise ValueError if it does not fit the schema."""
        if not isinstance(record, Mapping):
            raise ValueError(
                f"{type(record).__name__}: expected a record, a dict with {', '.join(self.names)}"
            )
        if record.keys() != set(self.names):
            raise ValueError(
                f"record with {', '.join(map(str, record)) or 'nothing'}: expected {', '.join(self.names)}"
            )
        for name, kind in zip(self.names, self.types, strict=True):
            if not _holds(kind, record[name]):
                raise ValueError(
                    f"record that does not fit its schema: {name}: expected {kind},"
                    f" found {_short(record[name])}"
                )
        data = BytesIO()
        try:
            fastavro.schemaless_writer(data, self.schema, dict(record))
        except (TypeError, ValueError, OverflowError, AttributeError) as error:
            raise ValueError(f"record that does not fit its schema: {error}") from None
        return data.getvalue()

    def _row(self, value: bytes) -> tuple[Any, ...]:
        data = BytesIO(value)
        try:
            record = fastavro.schemaless_reader(data, self.schema, None)
        except (EOFError, IndexError, ValueError, TypeError, OverflowError) as error:
            why = str(error) or type(error).__name__
            raise ValueError(f"{len(value)} bytes that are not a record of the schema: {why}") from None
        if data.tell() != len(value):
            raise ValueError(
                f"{len(value)} bytes, of which the schema describes {data.tell()}: expected the same schema"
                " as the sender's"
            )
        return tuple(record.values())  # type: ignore[union-attr]


def column(scheme: object, what: str = "schema") -> Avro:
    """Return the column of a schema's text or object; raise ValueError, with the field, for others.

    `what` it is called is named in the error.
    """
    try:
        return _column(_parsed(scheme))
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None


def text(scheme: object, what: str = "schema") -> str:
    """Return the text of a schema that is an object, a text, or in a file, whose path this is.

    Raises ValueError, with `what` it is called, if it is none of these.
    """
    if isinstance(scheme, str) and scheme.lstrip()[:1] in ("{", "[", '"', ""):
        return scheme
    try:
        if isinstance(scheme, str | Path):
            return Path(scheme).read_text()
        return json.dumps(dict(scheme) if isinstance(scheme, Mapping) else scheme)
    except (OSError, ValueError, TypeError, RecursionError) as error:
        why = getattr(error, "strerror", None) or error
        where = f"file {_short(str(scheme))}" if isinstance(scheme, str | Path) else type(scheme).__name__
        raise ValueError(
            f"{what}: {where}: {why}: expected a schema as an object, a text, or the path of a file"
        ) from None


def _column(schema: object) -> Avro:
    if not isinstance(schema, dict) or schema.get("type") != "record":
        raise ValueError(f"expected a record, found {_short(schema)}")
    fields = schema.get("fields")
    if not isinstance(fields, list) or not fields:
        raise ValueError("a record without fields: expected one at least")
    pairs = [_field(field) for field in fields]
    names, types = tuple(name for name, _ in pairs), tuple(kind for _, kind in pairs)
    if len(set(names)) < len(names):
        raise ValueError(f"fields {', '.join(names)}: expected different names")
    # Logical types would become dates and decimals.
    plain = [{"name": name, "type": kind} for name, kind in pairs]
    return Avro(names, types, fastavro.parse_schema({"type": "record", "name": "row", "fields": plain}))


def _parsed(scheme: object) -> object:
    if not isinstance(scheme, str):
        return scheme
    try:
        return json.loads(scheme)
    except (ValueError, RecursionError) as error:
        try:  # as Kafka-ML reads it
            return json.loads(scheme.replace("'", '"'))
        except (ValueError, RecursionError):
            raise ValueError(f"expected JSON, found invalid JSON: {error}") from None


def _field(field: object) -> tuple[str, str]:
    name = field.get("name") if isinstance(field, dict) else None
    if not isinstance(field, dict) or not isinstance(name, str):
        raise ValueError(f"field {_short(field)}: expected a name and a type")
    kind = field.get("type")
    if isinstance(kind, dict) and isinstance(kind.get("type"), str) and kind["type"] in _TYPES:
        kind = kind["type"]
    if isinstance(kind, list):
        raise ValueError(
            f"field {name}: a union cannot be used for training: {_EXPECTED}, and send a number"
            " where a value is missing"
        )
    if kind == "string":
        raise ValueError(f"field {name}: a string cannot be used for training: {_EXPECTED}")
    if not isinstance(kind, str) or kind not in _TYPES:
        found = kind.get("type") if isinstance(kind, dict) else kind
        raise ValueError(f"field {name}: type {_short(found)}: {_EXPECTED}")
    return name, kind


def _holds(kind: str, value: object) -> bool:
    """Whether a type of Avro can hold a value; a text would become true, and 1.5 become 1."""
    if isinstance(value, np.generic):
        value = value.item()
    match kind:
        case "boolean":
            return isinstance(value, bool) or (isinstance(value, int) and value in (0, 1))
        case "int" | "long":
            most = 2 ** (31 if kind == "int" else 63)
            return isinstance(value, int) and -most <= value < most
    return isinstance(value, int | float)


def _short(value: object) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:60]}…"
