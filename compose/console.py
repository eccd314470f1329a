"""The printed lines: those of the parts, each behind its part's name, and compose's own."""

import contextlib
import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Final, TextIO

from pipeline.service.masking import hide

_NAME: Final = "compose"
_WIDEST: Final = 24  # characters of a name
# The services' links with a new token; the only place where they can be read.
_INVITATION: Final = re.compile(r"to change (cameras|models) from another machine: https?://\S+")
# Cyan, yellow, green, magenta, blue, and their bright forms.
_COLOURS: Final = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)


def wants_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Return whether to write in colour: on a terminal, unless NO_COLOR is set (no-color.org)."""
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


class Console:
    """Writes complete lines to a stream; the place of a part among the names decides its colour."""

    def __init__(self, stream: TextIO, names: Sequence[str], *, colour: bool) -> None:
        self._stream = stream
        width = min(_WIDEST, max(len(name) for name in (_NAME, *names)))
        self._prefixes = {name: f"{name[:width]:{width}} |" for name in (_NAME, *names)}
        if colour:
            for place, name in enumerate(names):
                code = _COLOURS[place % len(_COLOURS)]
                self._prefixes[name] = f"\033[{code}m{self._prefixes[name]}\033[0m"
            self._prefixes[_NAME] = f"\033[1m{self._prefixes[_NAME]}\033[0m"

    def show(self, name: str, line: str) -> None:
        """Write a part's line."""
        self._write(f"{self._prefixes[name]} {line if _INVITATION.fullmatch(line) else hide(line)}\n")

    def say(self, line: str) -> None:
        """Write one of compose's own lines."""
        self.show(_NAME, line)

    def _write(self, text: str) -> None:
        # Even if the terminal or the reader has gone, the parts must be ended properly.
        with contextlib.suppress(OSError):
            self._stream.write(text)
            self._stream.flush()


def announce(line: str) -> None:
    """Write the one line that goes to standard output."""
    # Not through Python's buffer: if the reader has gone, flushing it at exit would fail again.
    with contextlib.suppress(OSError):
        os.write(sys.stdout.fileno(), f"{line}\n".encode())
