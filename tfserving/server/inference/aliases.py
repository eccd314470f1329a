"""The aliases of a signature's tensors in error messages."""

from collections.abc import Iterable

from tfserving.server.errors import ServingError, invalid


def wrong_size(given: set[str], expected: set[str]) -> ServingError:
    """Return the error for a request with more or fewer inputs, by alias, than its signature has."""
    return invalid(
        f"input size does not match signature: {len(given)}!={len(expected)}"
        f" len({braced(given)}) != len({braced(expected)})."
        f" Sent extra: {braced(given - expected)}. Missing but required: {braced(expected - given)}."
    )


def joined(aliases: Iterable[str]) -> str:
    """Return aliases in order, separated by commas."""
    return ",".join(sorted(aliases))


def braced(aliases: Iterable[str]) -> str:
    """Return aliases in order, in braces."""
    return "{" + joined(aliases) + "}"
