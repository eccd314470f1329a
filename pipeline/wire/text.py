"""Texts from outside that people read: in one line, of characters that can be seen."""

from typing import Final

# Python counts neither as printable: they join the parts of composite emoji, and part Persian letters.
_JOINERS: Final = "\u200d\u200c"


def readable(text: str) -> str:
    """Return a text in one line, without control characters and those that change the direction of others."""
    if text.isprintable():  # as nearly all are: this costs a frame next to nothing
        return text
    kept = "".join(each if each.isprintable() or each in _JOINERS else " " for each in text)
    return " ".join(kept.split())
