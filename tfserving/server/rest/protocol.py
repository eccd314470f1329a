"""Uvicorn's HTTP protocol, extended to pass the raw target of a request to the application."""

import re

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_ORIGIN = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)


class RawTargetProtocol(HttpToolsProtocol):
    """Adds `scope["state"]["target"]`: the path, the query and the fragment, all undecoded."""

    def on_headers_complete(self) -> None:
        """Keep the target before uvicorn splits it and drops the fragment."""
        self.scope["state"]["target"] = _ORIGIN.sub(b"", self.url, count=1)
        super().on_headers_complete()
