"""Which client is to give way when there are too many."""

from collections import Counter
from collections.abc import Mapping
from typing import TypeVar

_Item = TypeVar("_Item")


def crowd(hosts: Mapping[_Item, str]) -> list[_Item]:
    """Return all that come from the host with the most, or from one of these hosts, in order."""
    counts = Counter(hosts.values())
    most = max(counts.values())
    return [each for each, host in hosts.items() if counts[host] == most]
