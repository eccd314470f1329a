"""HTTP as uvicorn speaks it, which also tells the application a request's target as it came."""

import re

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_ORIGIN = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)


class RawTargetProtocol(HttpToolsProtocol):
    """Adds `scope["state"]["target"]`: the path, its query and its fragment, nothing decoded."""

    def on_headers_complete(self) -> None:
        """Keep the target before uvicorn takes it apart and drops the fragment."""
        self.scope["state"]["target"] = _ORIGIN.sub(b"", self.url, count=1)
        super().on_headers_complete()
