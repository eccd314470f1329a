"""The error that a model's clients raise."""

from collections.abc import Collection
from typing import Final

from pipeline.service.masking import hide
from pipeline.wire.text import one_line

LONGEST_REASON: Final = 500
"""Characters of the text of an error, which may come from a server."""

UNREAD: Final = "unread"
"""The kind of an error that lasts only until the labels have been read: it is not logged."""


class ModelError(Exception):
    """A model gave no valid answer; `kind` is one word for the counters.

    It is `refused` if the server rejected this particular request. The text is made one line of printable
    characters.
    """

    def __init__(self, kind: str, text: str, *, refused: bool = False) -> None:
        # Half a secret would not be recognised; texts of any length would take any time.
        super().__init__(one_line(hide(text[: 10 * LONGEST_REASON])))
        self.kind = kind
        self.refused = refused


def unavailable(states: Collection[str]) -> ModelError:
    """Return the error of a model without an available version, given the states of its versions."""
    if "LOADING" in states or "START" in states:
        return ModelError("loading", "the server is still loading the model")
    found = ", ".join(states) or "none at all"
    return ModelError(
        "unavailable", f"the server has no available version of the model: {found}; see its log"
    )
