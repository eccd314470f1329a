"""The values of cookies in a request."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

_LONGEST: Final = 2048  # characters of a value; the longest name makes about 1200
_MOST: Final = 4


def values(cookies: str, name: str) -> Iterator[str]:
    """Yield the values that a Cookie header has for a name, the one with the longest path first.

    A server at another path of the same host uses the same names, so there may be several; four are enough.
    """
    found = (cookie.strip().partition("=") for cookie in cookies.split(";"))
    mine = (value for key, sign, value in found if key == name and sign)
    yield from (value for value in islice(mine, _MOST) if len(value) <= _LONGEST)
