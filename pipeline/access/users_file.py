"""The users file (JSON, readable only by its owner): passwords, tokens, and the cameras each user may see."""

import logging
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from pipeline.access.password import is_hash
from pipeline.access.roles import ROLES, Role, has
from pipeline.cameras.record import is_preview

log = logging.getLogger(__name__)

# In place of pydantic's texts, which name Python's types.
_EXPECTED: Final = {
    "missing": "is missing",
    "extra_forbidden": "is not a field of this file",
    "string_type": "expected a text",
    "list_type": "expected a list",
    "dict_type": "expected an object",
    "model_type": "expected an object",
    "too_short": "expected one or more",
    "literal_error": "expected " + ", ".join(ROLES[:-1]) + " or " + ROLES[-1],
    "string_too_short": "expected {min_length} or more characters",
    "string_too_long": "expected {max_length} or fewer characters",
    "string_pattern_mismatch": "expected the SHA-256 of a token, as made by python -m pipeline.users",
}


class UsersError(Exception):
    """The users file is unusable; one line that names the file, the user and the field."""


def _name(text: str) -> str:
    if not text.isprintable() or text != text.strip() or ":" in text:
        raise ValueError("expected printable characters without a colon, and no space at either end")
    return text


def _hash(text: str) -> str:
    if not is_hash(text):
        raise ValueError("expected an argon2id hash, as made by python -m pipeline.users")
    return text


Name = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_name)]
"""A user's name, or a token's label."""

Pattern = Annotated[str, Field(min_length=1)]
"""A pattern of camera names, see `matches`."""


def matches(pattern: str, camera: str) -> bool:
    """Return whether a camera's name matches a pattern, in which `*` stands for any characters, or none."""
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
    """A user: the hash of a password, patterns of camera names, tokens (label to SHA-256 in hex), roles."""

    password: Annotated[str, AfterValidator(_hash)] = Field(repr=False)
    cameras: list[Pattern]
    tokens: dict[Name, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]] = {}
    roles: Annotated[list[Role], Field(min_length=1)] = ["viewer"]

    def may_see(self, camera: str) -> bool:
        """Return whether the user may see a camera; previews are for those who may change cameras."""
        if is_preview(camera):
            return has(self.roles, "operator")
        return any(matches(pattern, camera) for pattern in self.cameras)


class UsersFile(_Part):
    """The content of the file: a secret that signs sessions, and the users by name."""

    secret: Annotated[str, Field(min_length=32, repr=False)]
    users: dict[Name, User]


def empty() -> UsersFile:
    """Return a file without users, with a new secret."""
    return UsersFile(secret=secrets.token_urlsafe(32), users={})


def read(path: Path) -> UsersFile:
    """Read a users file; raise `UsersError` if it is unusable."""
    try:
        return UsersFile.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UsersError(f"cannot read {path}: {error.strerror}") from None
    except ValidationError as error:
        problem = error.errors()[0]
        names = [str(step) for step in problem["loc"] if step != "[key]"]
        where = [name if name.isprintable() else repr(name) for name in names]
        if names[:1] == ["users"] and len(names) > 1:
            where[:2] = [f"user {names[1]!r}"]
        raise UsersError(": ".join([str(path), *where, _explained(dict(problem))])) from None


def _explained(problem: Mapping[str, Any]) -> str:
    if problem["type"] == "json_invalid":
        place = re.sub(r".* at line (\d+) column (\d+)$", r"line \1, column \2", str(problem["msg"]))
        return f"{place}: expected JSON, as made by python -m pipeline.users"
    if expected := _EXPECTED.get(problem["type"]):
        return expected.format(**problem.get("ctx", {}))
    return str(problem["msg"]).removeprefix("Value error, ")


def write(path: Path, content: UsersFile) -> None:
    """Replace a users file, atomically, with one that only its owner may read; raise `UsersError`."""
    path = path.resolve()  # so that a link stays a link
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
        raise UsersError(f"cannot write {path}: {error.strerror}") from None


def _keep_owner(path: Path, descriptor: int) -> None:
    """Keep the owner of the file being replaced, so that the server can read it after root has edited it."""
    try:
        before = path.stat()
    except FileNotFoundError:
        return
    try:
        os.fchown(descriptor, before.st_uid, before.st_gid)
    except OSError as error:
        owner = f"{before.st_uid}:{before.st_gid}"
        log.warning("%s: cannot keep the owner %s: %s", path, owner, error.strerror)
        log.warning("a server running as that user can no longer read it; restore it with chown %s", owner)
