import json

import pytest

from training.inference.formats import Json, column


@pytest.mark.parametrize(
    ("value", "row"),
    [
        ([[1, 2.5]], [1, 2.5]),
        ([1, 2], [1, 2]),
        (3, 3),
        ([[[1, 2], [3, 4]]], [[1, 2], [3, 4]]),
        ([[1], [2]], [[1], [2]]),
        ([True, None], [1, None]),
    ],
)
def test_json(value: object, row: object) -> None:
    text = json.dumps(value).encode()
    telegraf = json.dumps({"fields": {"value": text.decode()}, "name": "sensor"}).encode()

    for name, sent in (("JSON", text), ("TELEGRAF_STR_JSON", telegraf)):
        found = column(name, {}).settled(sent).decode([sent, sent])

        expected = [float("nan") if each is None else each for each in row] if isinstance(row, list) else row
        assert str(found.tolist()) == str(json.loads(json.dumps([expected, expected]), parse_int=float))


@pytest.mark.parametrize("value", [b"", b"{", b'"text"', b'{"a": 1}', b"[[1], [2, 3]]", b"[" * 10_000])
def test_json_that_is_not_numbers(value: bytes) -> None:
    with pytest.raises(ValueError, match=r"^expected numbers as JSON, such as \[\[0.5, 1\]\]$"):
        Json(is_telegraf=False).settled(value)
    with pytest.raises(ValueError, match=r'as a text in \{"fields"'):
        Json(is_telegraf=True).settled(value)


def test_json_of_another_shape() -> None:
    with pytest.raises(ValueError, match=r"numbers of shape \(3,\), expected \(2,\)"):
        Json(is_telegraf=False).settled(b"[1, 2]").decode([b"[1, 2]", b"[1, 2, 3]"])


def test_the_formats_of_training_data() -> None:
    assert column("RAW", {"data_type": "uint8", "data_reshape": "28 28"}).shape == (28, 28)
    assert column("JPEG", {"labels": ["a"], "size": [4, 6]}).shape == (4, 6, 3)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("CSV", "input_format 'CSV': expected RAW, AVRO, JPEG or JSON"), ("AVRO", "AVRO: data_scheme: ")],
)
def test_what_is_not_a_format(name: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}"):
        column(name, {})
