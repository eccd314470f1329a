"""Write a new key to the cameras' links, unless there is one: `python -m pipeline.cameras.new_key FILE`.

With a command after FILE, this process then becomes that command.
"""

import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.cameras.seal import new_key


def provide(file: Path) -> bool:
    """Write a new key to a file that only its owner may read, unless the file exists.

    Returns whether the key is new; raises OSError if it cannot be written. Of several processes that do this
    at the same time, one writes, and the others find the same key.
    """
    if file.exists():
        return False
    # Containers that share the folder may have the same process numbers.
    unfinished = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    try:
        with open(unfinished, "x", opener=_private, encoding="ascii") as written:
            written.write(f"{new_key()}\n")
            written.flush()
            os.fsync(written.fileno())
        # Unlike renaming, this never replaces a file: another process may have been faster.
        os.link(unfinished, file)
    except FileExistsError:
        return False
    finally:
        unfinished.unlink(missing_ok=True)
    return True


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def main(arguments: Sequence[str]) -> int:
    """Write the key; return the exit status, or run the command instead."""
    if not arguments:
        print("usage: python -m pipeline.cameras.new_key FILE [COMMAND...]", file=sys.stderr)
        return 2
    file, *command = arguments
    try:
        if provide(Path(file)):
            print(f"{file}: a new key to the cameras' links", file=sys.stderr)
    except OSError as error:
        print(f"{file}: a key to the cameras' links cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    if command:
        os.execvp(command[0], command)  # noqa: S606 # the arguments are a container's own command
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
