"""Requests from jobs to the training service: with the token of their run, and to nobody else."""

import re
import ssl
import urllib.request
from http.client import HTTPResponse
from pathlib import Path
from typing import Final, cast

_CERTIFICATE: Final = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class Backend:
    """Sends requests with a `token`; over HTTPS, only to a service with the `certificate`, if one is given.

    Without, the certificate must be valid for the service's name. The token is not sent on to where the
    service redirects.
    """

    def __init__(self, token: str = "", certificate: Path | None = None) -> None:
        self._token = token
        self._certificate = certificate

    def open(self, request: urllib.request.Request, timeout: float) -> HTTPResponse:
        """Return the answer to a request, open; raise what `urllib.request.urlopen` does."""
        if self._token:
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        handlers = []
        if self._certificate is not None:
            # It is read each time, because it may have been renewed.
            handlers.append(urllib.request.HTTPSHandler(context=_only(self._certificate)))
        opener = urllib.request.build_opener(*handlers)
        return cast("HTTPResponse", opener.open(request, timeout=timeout))


def _only(file: Path) -> ssl.SSLContext:
    """Return what accepts a server with a file's first certificate, whatever its name, and no other.

    The others in the file are those of authorities, which have signed those of many servers. Raises OSError
    if there is none.
    """
    first = _CERTIFICATE.search(file.read_text(encoding="ascii", errors="replace"))
    if first is None:
        raise OSError(f"{file}: expected a certificate (PEM)")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=first[0])
    return context
