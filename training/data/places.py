"""The order of a stream: in which messages of several ranges follow each other."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.intp]


def stream_order(counts: Sequence[int]) -> list[Places]:
    """Return the places of each range's messages in the stream, given how many messages each range has.

    The ranges are mixed evenly: a tenth of the stream holds a tenth of each. So what was sent to several
    partitions in turn keeps its order, and partitions of one label each do not end up one behind the other.
    """
    if sum(count > 0 for count in counts) < 2:
        return [np.arange(count) for count in counts]
    shares = np.concatenate([(np.arange(count) + 0.5) / max(count, 1) for count in counts])
    places = np.empty(len(shares), np.intp)
    places[np.argsort(shares, kind="stable")] = np.arange(len(shares))
    return np.split(places, np.cumsum(counts)[:-1])
