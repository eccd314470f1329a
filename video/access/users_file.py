"""The users file: who may log in, and which cameras each may see; JSON, readable by its owner only."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from video.access.password import is_hash


class UsersError(Exception):
    """The users file will not do; one line that names the file, the user and the field."""


def _name(text: str) -> str:
    if not text.isprintable() or text != text.strip() or ":" in text:
        raise ValueError("a name is printable, has no colon, and neither begins nor ends with a space")
    return text


def _hash(text: str) -> str:
    if not is_hash(text):
        raise ValueError("an argon2id hash is wanted, as python -m video.users makes it")
    return text


Name = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_name)]
"""A user's name, or a token's label."""

Pattern = Annotated[str, Field(min_length=1)]
"""Cameras' names, as `matches` reads it."""


def matches(pattern: str, camera: str) -> bool:
    """Tell whether a camera's name is the pattern; a `*` in it stands for any characters, or none."""
    first, *rest = pattern.split("*")
    if not rest:
        return camera == pattern
    *middle, last = rest
    start, end = len(first), len(camera) - len(last)
    if start > end or not (camera.startswith(first) and camera.endswith(last)):
        return False
    for part in middle:
        found = camera.find(part, start, end)
        if found < 0:
            return False
        start = found + len(part)
    return True


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class User(_Part):
    """A user: the password's hash, patterns of cameras' names, and tokens (label to SHA-256 in hex)."""

    password: Annotated[str, AfterValidator(_hash)]
    cameras: list[Pattern]
    tokens: dict[Name, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]] = {}

    def may_see(self, camera: str) -> bool:
        """Tell whether the user may see a camera."""
        return any(matches(pattern, camera) for pattern in self.cameras)


class UsersFile(_Part):
    """What the file holds: a secret that signs sessions, and the users by name."""

    secret: Annotated[str, Field(min_length=32)]
    users: dict[Name, User]


def empty() -> UsersFile:
    """Return a file without users, with a new secret."""
    return UsersFile(secret=secrets.token_urlsafe(32), users={})


def read(path: Path) -> UsersFile:
    """Read a users file; raise `UsersError` when it will not do."""
    try:
        return UsersFile.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UsersError(f"{path}: cannot be read: {error.strerror}") from None
    except ValidationError as error:
        problem = error.errors()[0]
        where = [str(step) for step in problem["loc"] if step != "[key]"]
        if where[:1] == ["users"] and len(where) > 1:
            where[:2] = [f"user {where[1]!r}"]
        what = str(problem["msg"]).removeprefix("Value error, ")
        raise UsersError(": ".join([str(path), *where, what])) from None


def write(path: Path, content: UsersFile) -> None:
    """Replace a users file, in one step, by one that only its owner may read; raise `UsersError`."""
    path = path.resolve()  # a link stays a link
    text = content.model_dump_json(indent=2) + "\n"
    unfinished = None
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            unfinished = Path(file.name)
            _keep_owner(path, file.fileno())
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        if unfinished is not None:
            unfinished.unlink(missing_ok=True)
        raise UsersError(f"{path}: cannot be written: {error.strerror}") from None


def _keep_owner(path: Path, descriptor: int) -> None:
    """Let a server that may read the file read it also after root has changed it."""
    with suppress(OSError):
        before = path.stat()
        os.fchown(descriptor, before.st_uid, before.st_gid)
