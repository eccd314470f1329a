"""Which client is to give way when there are too many."""

from collections import Counter
from collections.abc import Mapping
from typing import TypeVar

_Item = TypeVar("_Item")


def crowd(hosts: Mapping[_Item, str]) -> list[_Item]:
    """Return the items of the host that has the most, in order; of several such hosts, the items of all."""
    counts = Counter(hosts.values())
    most = max(counts.values())
    return [each for each, host in hosts.items() if counts[host] == most]
