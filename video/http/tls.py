"""TLS by certificate files, which may be renewed while the server runs."""

import logging
import ssl
from pathlib import Path
from typing import NoReturn

from pipeline.service.settings import SettingsError
from video.version import version_of

log = logging.getLogger(__name__)


class Certificate:
    """A certificate with its key, as the `context` of the connections to come.

    Raises `SettingsError` when the files will not do from the start.
    """

    def __init__(self, cert: Path, key: Path) -> None:
        self._cert = cert
        self._key = key
        self._loaded = self._versions()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        self._load()

    def refresh(self) -> None:
        """Read the files again if they have changed; what will not do is logged once, the old pair stays."""
        versions = self._versions()
        if versions == self._loaded:
            return
        self._loaded = versions
        try:
            self._load()
        except SettingsError as error:
            log.error("%s; the certificate read before stays", error)
        else:
            log.info("read the certificate again")

    def _load(self) -> None:
        self._check_readable()
        try:
            # What fails halfway would leave the context in use with half a pair.
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
            return f"TLSKEY='{self._key}': is locked with a password; a key without one is wanted"
        if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
            return f"TLSKEY='{self._key}': is not the key of the certificate TLSCERT='{self._cert}'"
        if not _has(self._cert, "CERTIFICATE-----"):
            return f"TLSCERT='{self._cert}': holds no certificate in PEM form"
        if not _has(self._key, "PRIVATE KEY-----"):
            return f"TLSKEY='{self._key}': holds no private key in PEM form"
        return f"TLSCERT='{self._cert}', TLSKEY='{self._key}': cannot be used: {error}"

    def _versions(self) -> list[object]:
        return [version_of(self._cert), version_of(self._key)]


class _LockedError(Exception):
    """A key wants a password."""


def _refuse() -> NoReturn:
    # Without this OpenSSL would ask on the terminal, and wait.
    raise _LockedError


def _has(path: Path, mark: str) -> bool:
    try:
        return mark.encode() in path.read_bytes()
    except OSError:
        return False
