"""The value of a variable, without what surrounds it by accident.

A shell removes quotes; a Compose file's `- NAME="value"` and `docker run --env-file` pass them on. A value
from a file or a ConfigMap may end with a line break.
"""

import re
from typing import Final

_QUOTED: Final = re.compile(r"""(["'])(.*)\1""", re.DOTALL)
# A JSON object and a link may contain quotes of their own.
_OBJECT_OR_LINK: Final = re.compile(r"\s*(\{|[A-Za-z][\w+.:-]*://)")


def trimmed(text: str) -> str:
    """Return the text without the whitespace and the one pair of quotes around it.

    Nothing inside changes. Quotes that are not a pair, as in `"A" or "B"`, stay.
    """
    text = text.strip()
    quoted = _QUOTED.fullmatch(text)
    if quoted is None:
        return text
    quote, inside = quoted.groups()
    if quote in inside and not _OBJECT_OR_LINK.match(inside):
        return text
    return inside.strip()
