"""When certificates expire: as much of X.509 (RFC 5280, section 4.1) as is needed to read that."""

import re
import ssl
from datetime import UTC, datetime
from typing import Final

_PEM: Final = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_VERSION: Final = 0xA0
_UTC_TIME: Final = 0x17


def expiry(pem: bytes) -> float:
    """Return when the server's own certificate expires, the first in a PEM file, in s since the epoch.

    Those after it do not count: clients that do not need an old root at the end of a chain ignore it. Raises
    ValueError if there is none.
    """
    found = _PEM.search(pem)
    if found is None:
        raise ValueError("expected a certificate in PEM format")
    return _expiry(ssl.PEM_cert_to_DER_cert(found[0].decode("ascii")))


def _expiry(certificate: bytes) -> float:
    _, content, _ = _element(certificate)
    _, to_be_signed, _ = _element(content)
    kind, _, rest = _element(to_be_signed)
    if kind == _VERSION:
        _, _, rest = _element(rest)
    for _ in range(2):  # the serial number was read; the algorithm, the issuer
        _, _, rest = _element(rest)
    _, validity, _ = _element(rest)
    _, _, rest = _element(validity)
    kind, after, _ = _element(rest)
    form = "%y%m%d%H%M%SZ" if kind == _UTC_TIME else "%Y%m%d%H%M%SZ"
    return datetime.strptime(after.decode("ascii"), form).replace(tzinfo=UTC).timestamp()


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """Return the kind and the content of the first element in DER, and what follows it."""
    if len(data) < 2:
        raise ValueError("expected an element in DER, found the end")
    kind, length, at = data[0], data[1], 2
    if length & 0x80:
        at += length & 0x7F
        length = int.from_bytes(data[2:at])
    if at + length > len(data):
        raise ValueError("expected an element in DER, found its beginning only")
    return kind, data[at : at + length], data[at + length :]
