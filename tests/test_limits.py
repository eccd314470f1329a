"""The table of limits is the code's, and each limit is exceeded by a test."""

import pytest

from tests.limits.limit import Limit
from tests.limits.table import OURS, PAGE, constants, exceeded, limits, page, shown


def test_the_page_is_written_from_the_table() -> None:
    assert PAGE.read_text() == page(), "run python -m tests.limits.table"


@pytest.mark.parametrize("limit", list(limits()), ids=lambda limit: limit.name)
def test_each_limit_has_a_value_and_a_test_that_exceeds_it(limit: Limit) -> None:
    assert isinstance(limit.value, int | float)
    assert limit.name in exceeded(), f'mark a test with @pytest.mark.exceeds("{limit.name}")'


def test_each_mark_names_a_limit() -> None:
    assert exceeded() <= {limit.name for limit in limits()}


def test_each_constant_that_is_named_like_a_limit_is_in_the_table() -> None:
    assert constants() - {limit.name for limit in limits()} == OURS


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (64 * 1024, "bytes", "64 KiB"),
        (32 * 2**20, "bytes", "32 MiB"),
        (100_000_000, "bytes", "100,000,000 bytes"),
        (86_400.0, "s", "24 h"),
        (120.0, "s", "2 min"),
        (0.5, "s", "0.5 s"),
        (256, "", "256"),
    ],
)
def test_numbers_are_shown_as_people_write_them(value: float, unit: str, text: str) -> None:
    assert shown(value, unit) == text
