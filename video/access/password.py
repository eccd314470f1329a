"""Passwords, kept as argon2id hashes."""

import unicodedata
from typing import Final

import argon2
from argon2.exceptions import Argon2Error, InvalidHashError

# What OWASP's password storage cheat sheet asks for at least; more memory would not suit a small container.
_HASHER: Final = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

# Of a password that nobody knows: an unknown user takes as long to refuse as a known one.
_NOBODYS: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1$FHwOLy21PtxS2gCC8m08sg$HEPfEQb3sznpHQWBdH7O3I4LS26NJzOonVDixvhazek"
)


def hashed(password: str) -> str:
    """Return a password's hash, with a salt of its own."""
    return _HASHER.hash(_normal(password))


def verify(stored: str | None, password: str) -> bool:
    """Tell whether a password is the one of this hash; None, of an unknown user, takes as long and is False.

    Takes tens of milliseconds, and 19 MB of memory meanwhile.
    """
    try:
        return _HASHER.verify(stored or _NOBODYS, _normal(password)) and stored is not None
    except (Argon2Error, InvalidHashError):
        return False


def is_hash(text: str) -> bool:
    """Tell whether a text is a hash that `verify` can read."""
    try:
        return argon2.extract_parameters(text).type is argon2.Type.ID
    except InvalidHashError:
        return False


def _normal(password: str) -> bytes:
    # Keyboards differ in whether they send "é" as one character or as two.
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
