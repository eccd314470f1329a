"""An exception in one line."""

import errno
from typing import Final

_LONGEST_REASON: Final = 400  # characters
_DENIED: Final = {errno.EACCES, errno.EPERM, errno.EXDEV}  # EXDEV: Landlock, for links
_HINT: Final = "; model code has no network, starts no processes, and opens only its own files"


def reason(error: BaseException) -> str:
    """Return an exception's type and text as one line, with a hint where a restriction is the cause."""
    name = type(error).__name__
    text = error.msg if isinstance(error, SyntaxError) else _text(error)
    line = " ".join(text.split())
    if len(line) > _LONGEST_REASON:
        line = f"{line[:_LONGEST_REASON]}..."
    hint = _HINT if _is_denied(error) else ""
    if isinstance(error, MemoryError):
        hint = "; it needs more memory than the limit"
    return f"{name}: {line}{hint}" if line else f"{name}{hint}"


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as other:  # a class of the user's
        return f"its text raised {type(other).__name__}"


def _is_denied(error: BaseException | None) -> bool:
    """Return whether a restriction caused an error, directly or through others."""
    for _ in range(10):
        if error is None:
            return False
        if isinstance(error, OSError) and error.errno in _DENIED:
            return True
        # urllib's errors wrap the one of the system.
        inner = getattr(error, "reason", None)
        error = inner if isinstance(inner, BaseException) else error.__cause__ or error.__context__
    return False
