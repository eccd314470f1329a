"""The log lines of requests that fail: one per kind and minute."""

import logging

from pipeline.service.logs import Seldom
from pipeline.wire.text import one_line
from tfserving.server.errors import Code

_seldom = Seldom(logging.getLogger(__name__))


def log(api: str, code: Code, message: str) -> None:
    """Log why a request over an API failed, unless its client went away."""
    if code not in (Code.OK, Code.CANCELLED):
        _seldom.warning(
            f"{api} {code.name}", f"A request over {api} failed: {code.name}: {one_line(message[:1000])}"
        )
