"""The samples for training, test and validation: three parts of the same arrays."""

from typing import Any

from numpy.typing import NDArray

Part = tuple[NDArray[Any], NDArray[Any]]
"""Features, shape (n, …), and labels, shape (n, …)."""


def parts(features: NDArray[Any], labels: NDArray[Any], sizes: dict[str, int]) -> dict[str, Part]:
    """Return the parts by name; `sizes` says how many samples each has. They are not copied."""
    found, start = dict[str, Part](), 0
    for name in ("training", "test", "validation"):
        end = start + sizes[name]
        found[name] = (features[start:end], labels[start:end])
        start = end
    return found
