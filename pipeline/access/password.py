"""Passwords, stored as argon2id hashes."""

import unicodedata
from typing import Final

import argon2
from argon2.exceptions import Argon2Error, InvalidHashError

# The minimum of OWASP's password storage cheat sheet; more memory would not fit into a small container.
_HASHER: Final = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

# The hash of an unknown password: rejecting an unknown user takes as long as rejecting a known one.
_NOBODYS: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1$FHwOLy21PtxS2gCC8m08sg$HEPfEQb3sznpHQWBdH7O3I4LS26NJzOonVDixvhazek"
)


def hashed(password: str) -> str:
    """Return a password's hash, with a new salt."""
    return _HASHER.hash(_normal(password))


def verify(stored: str | None, password: str) -> bool:
    """Return whether a password matches a hash; None, for an unknown user, takes as long and returns False.

    Takes tens of milliseconds and 19 MB of memory.
    """
    try:
        return _HASHER.verify(stored or _NOBODYS, _normal(password)) and stored is not None
    except (Argon2Error, InvalidHashError):
        return False


def is_hash(text: str) -> bool:
    """Return whether a text is a hash that `verify` can read."""
    try:
        return argon2.extract_parameters(text).type is argon2.Type.ID
    except InvalidHashError:
        return False


def _normal(password: str) -> bytes:
    # Some keyboards send "é" as one character, others as two.
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
