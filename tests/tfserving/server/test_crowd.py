"""The client that gives way."""

import pytest

from tfserving.server.crowd import crowd


@pytest.mark.parametrize(
    ("hosts", "expected"), [("a", [0]), ("abb", [1, 2]), ("babcb", [0, 2, 4]), ("aabb", [0, 1, 2, 3])]
)
def test_the_host_with_the_most_gives_way(hosts: str, expected: list[int]) -> None:
    assert crowd(dict(enumerate(hosts))) == expected
