"""The ids of streams, `NAME:MODEL:inferred`, in a form that can be part of a URL.

An id has two colons. In the names, the characters that end a part of an id or of a URL's path are
percent-encoded, and so is the percent sign: `%3A` for a colon, `%2F` for a slash. All others stay.
"""

import re
from typing import Final, NamedTuple, Self
from urllib.parse import unquote

from pipeline.wire.frame import is_name
from pipeline.wire.predictions import LONGEST_LABEL

_STATUS: Final = "inferred"
_ENDS: Final = re.compile(r"[%:/?#\\]")  # browsers take a backslash for a slash
_MOST_SHOWN: Final = 80  # characters of a path in a message


class Identity(NamedTuple):
    """The id of a stream: the names of its camera and of its model."""

    camera: str
    model: str

    def __str__(self) -> str:
        return f"{_quoted(self.camera)}:{_quoted(self.model)}:{_STATUS}"

    @classmethod
    def read(cls, path: str) -> Self:
        """Return the id in a URL's path, as it was sent without its first slash; raise ValueError if none.

        It may also have been percent-encoded as a whole, or where a browser does so.
        """
        parts = path.split(":") if ":" in path else _unquoted(path).split(":")
        if len(parts) == 3 and _unquoted(parts[2]) == _STATUS:
            found = cls(_unquoted(parts[0]), _unquoted(parts[1]))
            if is_name(found.camera) and 0 < len(found.model) <= LONGEST_LABEL:
                return found
        raise ValueError(
            f"expected a stream such as door:imagenet_1:{_STATUS}, found {path[:_MOST_SHOWN]!r}: use an id as"
            " GET /api/streams lists it"
        )


def _quoted(name: str) -> str:
    return _ENDS.sub(lambda sign: f"%{ord(sign[0]):02X}", name)


def _unquoted(text: str) -> str:
    return unquote(text, errors="replace")
