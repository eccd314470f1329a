"""TLS with certificate files, which can be renewed while the server runs."""

import hashlib
import logging
import math
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

from prometheus_client import Gauge

from pipeline.http.expiry import expiry
from pipeline.service.settings import SettingsError

log = logging.getLogger(__name__)

# What OpenSSL calls a key of another certificate: of the same type, or of another one.
_MISMATCHES: Final = {"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED"}
_DAY: Final = 24 * 3600
_SOON: Final = 7 * _DAY  # s before the end from which on it is reported
_REMIND: Final = _DAY  # s between two reports
_EXPIRY = Gauge("streamlens_certificate_expiry_seconds", "When the certificate expires, in s since the epoch")


class Certificate:
    """A certificate with its key: `context` is used for new connections.

    Each renewal makes a new context: in an old one, the certificate of another type of key would stay, and
    clients could resume sessions that began with it. `clock` returns seconds since the epoch. Raises
    `SettingsError` if the files are unusable at the start.
    """

    def __init__(self, cert: Path, key: Path, clock: Callable[[], float] = time.time) -> None:
        self._cert = cert
        self._key = key
        self._clock = clock
        self._loaded = self._digests()
        self._expires = math.inf
        self._remind_at = 0.0
        self.context = self._load()
        self._look_at_expiry()

    def refresh(self) -> None:
        """Load the files again if they have changed; if they are unusable, log that and keep the old pair."""
        digests = self._digests()
        if digests != self._loaded:
            self._loaded = digests
            try:
                self.context = self._load()
            except SettingsError as error:
                log.error("%s; keeping the previous certificate", error)
            else:
                log.info("certificate loaded again")
                self._remind_at = 0.0
        self._look_at_expiry()

    def _load(self) -> ssl.SSLContext:
        self._check_readable()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self._cert, self._key, password=_refuse)
        except (ssl.SSLError, OSError, _LockedError) as error:
            raise SettingsError(self._explain(error)) from None
        try:
            self._expires = expiry(_content(self._cert))
        except ValueError:  # OpenSSL reads more forms of PEM
            self._expires = math.inf
        _EXPIRY.set(self._expires)
        return context

    def _look_at_expiry(self) -> None:
        now = self._clock()
        left = self._expires - now
        if left > _SOON or now < self._remind_at:
            return
        self._remind_at = now + _REMIND
        when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(self._expires))
        if left <= 0:
            log.error("TLSCERT='%s': expired on %s; clients refuse it: renew it", self._cert, when)
        else:
            log.warning("TLSCERT='%s': expires on %s: renew it", self._cert, when)

    def _check_readable(self) -> None:
        for name, path in (("TLSCERT", self._cert), ("TLSKEY", self._key)):
            try:
                path.read_bytes()
            except OSError as error:
                raise SettingsError(f"{name}='{path}': cannot be read: {error.strerror}") from None

    def _explain(self, error: Exception) -> str:
        if isinstance(error, _LockedError):
            return f"TLSKEY='{self._key}': is protected by a password; expected a key without one"
        if getattr(error, "reason", None) in _MISMATCHES:
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
