"""TLS with certificate files, which can be renewed while the server runs."""

import hashlib
import logging
import ssl
from pathlib import Path
from typing import NoReturn

from pipeline.service.settings import SettingsError

log = logging.getLogger(__name__)


class Certificate:
    """A certificate with its key: `context` is used for new connections.

    Raises `SettingsError` if the files are unusable at the start.
    """

    def __init__(self, cert: Path, key: Path) -> None:
        self._cert = cert
        self._key = key
        self._loaded = self._digests()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        self._load()

    def refresh(self) -> None:
        """Load the files again if they have changed; if they are unusable, log that and keep the old pair."""
        digests = self._digests()
        if digests == self._loaded:
            return
        self._loaded = digests
        try:
            self._load()
        except SettingsError as error:
            log.error("%s; keeping the previous certificate", error)
        else:
            log.info("certificate loaded again")

    def _load(self) -> None:
        self._check_readable()
        try:
            # First into a context of its own: a failure halfway would leave the one in use with half a pair.
            self._load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
            self._load_into(self.context)
        except (ssl.SSLError, OSError, _LockedError) as error:
            raise SettingsError(self._explain(error)) from None

    def _load_into(self, context: ssl.SSLContext) -> None:
        context.load_cert_chain(self._cert, self._key, password=_refuse)

    def _check_readable(self) -> None:
        for name, path in (("TLSCERT", self._cert), ("TLSKEY", self._key)):
            try:
                path.read_bytes()
            except OSError as error:
                raise SettingsError(f"{name}='{path}': cannot be read: {error.strerror}") from None

    def _explain(self, error: Exception) -> str:
        if isinstance(error, _LockedError):
            return f"TLSKEY='{self._key}': is protected by a password; expected a key without one"
        if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
            return f"TLSKEY='{self._key}': is not the key of the certificate TLSCERT='{self._cert}'"
        if b"CERTIFICATE-----" not in _content(self._cert):
            return f"TLSCERT='{self._cert}': expected a certificate in PEM format"
        if b"PRIVATE KEY-----" not in _content(self._key):
            return f"TLSKEY='{self._key}': expected a private key in PEM format"
        return f"TLSCERT='{self._cert}', TLSKEY='{self._key}': cannot be used: {error}"

    def _digests(self) -> list[bytes]:
        return [hashlib.sha256(_content(path)).digest() for path in (self._cert, self._key)]


class _LockedError(Exception):
    """A key is protected by a password."""


def _refuse() -> NoReturn:
    # Without this, OpenSSL would wait for a password on the terminal.
    raise _LockedError


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
