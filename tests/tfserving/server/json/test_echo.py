"""Error messages quote the beginning of a value."""

import json
from typing import Any

import pytest
from hypothesis import given

from tests.tfserving.server.strategies import DOCUMENTS
from tfserving.server.json.echo import LIMIT, echo
from tfserving.server.json.parse import Value, parse


@given(DOCUMENTS)
def test_a_short_value_is_quoted_in_full(document: Any) -> None:
    value = parse(json.dumps(document, ensure_ascii=False).encode())

    text = echo(value)

    if len(text.encode()) < LIMIT:
        assert repr(parse(text.encode())) == repr(value)


@pytest.mark.parametrize("value", [b"a" * 300_000, [1] * 100_000, parse(b"[" * 10_000 + b"]" * 10_000)])
def test_a_long_value_is_truncated(value: Value) -> None:
    assert len(echo(value)) == LIMIT
