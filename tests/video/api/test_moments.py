import contextlib
import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video.api.moments import iso, milliseconds


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1795290407", 1_795_290_407_000),
        ("1.5", 1500),
        ("-1", -1000),
        ("1970-01-01T00:00:01Z", 1000),
        ("1970-01-01T01:00:01+01:00", 1000),
        ("1970-01-01 00:00:01.250", 1250),
        ("1970-01-02", 86_400_000),
    ],
)
def test_a_moment_is_read(text: str, moment: float) -> None:
    assert milliseconds(text) == moment


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "1e999", "24:00", "2026-02-30", "٢٠٢٦-11-21", "Z"])
def test_anything_else_is_not(text: str) -> None:
    with pytest.raises(ValueError, match="ISO 8601"):
        milliseconds(text)


@given(st.text(max_size=30))
def test_no_text_raises_anything_else(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert math.isfinite(milliseconds(text))


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_a_time_survives_writing_and_reading(moment: datetime) -> None:
    written = int(moment.timestamp() * 1000)

    assert round(milliseconds(iso(written)), 3) == written


def test_it_is_written_in_utc_with_milliseconds() -> None:
    assert iso(1_795_290_407_003) == "2026-11-21T19:46:47.003Z"
