"""Texts from outside that people read: in one line, of characters that can be seen."""

from typing import Final

# Python counts neither as printable: they join the parts of composite emoji, and part Persian letters.
_JOINERS: Final = "\u200d\u200c"


_LONGEST_REASON: Final = 500  # characters


def readable(text: str) -> str:
    """Return a text in one line, without control characters and those that change the direction of others."""
    if text.isprintable():  # as nearly all are: this costs a frame next to nothing
        return text
    kept = "".join(each if each.isprintable() or each in _JOINERS else " " for each in text)
    return " ".join(kept.split())


def one_line(text: str) -> str:
    """Return a reason in one line, of 500 characters at most."""
    line = " ".join(readable(text).split())
    return line if len(line) <= _LONGEST_REASON else f"{line[: _LONGEST_REASON - 1]}…"
