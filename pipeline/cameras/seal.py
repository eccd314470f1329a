"""Links to cameras, encrypted with Fernet as they stand in a topic.

The format is that of <https://github.com/fernet/spec>, by the package `cryptography`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # imported late: it takes 10 MB, and most producers have one camera without a key
    from cryptography.fernet import MultiFernet

START: Final = "gAAAAA"
"""The start of every token: version 128, and a time before the year 2106."""


class SealError(ValueError):
    """A key is not one, or a link does not decrypt. The text says which, in one line."""


class Seal:
    """Encrypts links with the first of these keys, and decrypts those of all.

    Without keys, links stay as they are. `setting` is where the keys come from, for messages. Raises
    `SealError` for a text that is not a Fernet key.
    """

    def __init__(self, keys: Sequence[str] = (), setting: str = "CAMERASKEY") -> None:
        self._fernet = _fernet(keys) if keys else None
        self._setting = setting

    def close(self, link: str) -> str:
        """Return a link as it is written to the topic."""
        if self._fernet is None or is_sealed(link):
            return link
        return self._fernet.encrypt(link.encode()).decode()

    def open(self, text: str) -> str:
        """Return the link of a record; raise `SealError` if it does not decrypt."""
        if not is_sealed(text):
            return text
        if self._fernet is None:
            raise SealError("its link is encrypted: set CAMERASKEY to the key, or CAMERASKEYFILE to its file")
        from cryptography.fernet import InvalidToken  # noqa: PLC0415

        try:
            return self._fernet.decrypt(text.encode()).decode()
        except (InvalidToken, UnicodeDecodeError):
            raise SealError(
                f"its link does not decrypt with {self._setting}: add the key with which it was written, or"
                " set the link again"
            ) from None


def _fernet(keys: Sequence[str]) -> "MultiFernet":
    from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415

    found = []
    for number, key in enumerate(keys, 1):
        try:
            found.append(Fernet(key))
        except ValueError:
            raise SealError(
                "expected Fernet keys, each 32 bytes in URL-safe base64, which are 44 characters; key"
                f" {number} of {len(keys)}, with {len(key)} characters, is not one: restore it, or replace it"
                " with what python -m producer.cameras key prints"
            ) from None
    return MultiFernet(found)


def new_key() -> str:
    """Return a new key."""
    from cryptography.fernet import Fernet  # noqa: PLC0415

    return Fernet.generate_key().decode()


def is_sealed(link: str) -> bool:
    """Return whether a link is encrypted."""
    return link.startswith(START)
