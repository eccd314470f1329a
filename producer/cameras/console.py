"""What the command asks of its user, and prints: results on standard output, the rest on standard error."""

import difflib
import getpass
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from pipeline.cameras.record import LONGEST_LINK
from pipeline.service.masking import hide, learn
from producer.cameras.errors import CommandError


def say(line: str) -> None:
    """Print a result."""
    print(line, flush=True)


def note(line: str) -> None:
    """Print what is being done."""
    print(hide(line), file=sys.stderr, flush=True)


def warn(line: str) -> None:
    """Print what may be wrong."""
    note(f"cameras: warning: {line}")


def complain(text: str) -> None:
    """Print why a command failed, a line for each cause."""
    for line in text.splitlines():
        note(f"cameras: {line}")


def link(text: str) -> str:
    """Return a link: the one given, or for `-` the line from standard input; nothing prints its password."""
    found = secret("link: ") if text == "-" else text.strip()
    if not found:
        raise CommandError("link: expected a URL, a file or a device, found nothing")
    if len(found) > LONGEST_LINK:
        raise CommandError(f"link: expected at most {LONGEST_LINK} characters, found {len(found)}")
    learn(found)
    return found


def secret(prompt: str) -> str:
    """Return a line from standard input, or what a person types without seeing it."""
    if sys.stdin is None:
        return ""
    if sys.stdin.isatty():
        return getpass.getpass(prompt).strip()
    return sys.stdin.readline().strip()


def text_of(file: str) -> str:
    """Return the text of a file, or for `-` of standard input; raise `CommandError` if it is not one."""
    try:
        if file == "-":
            return sys.stdin.read() if sys.stdin else ""
        return Path(os.path.expanduser(file)).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text in UTF-8"
        raise CommandError(f"{file}: cannot be read: {reason}") from None


def nearest(name: str, names: Iterable[str]) -> str:
    """Return a question about what was meant, or nothing."""
    near = difflib.get_close_matches(name, list(names), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
