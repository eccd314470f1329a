"""Limits on what browsers send."""

from typing import Final

from tests.limits.limit import Limit

LIMITS: Final = (
    Limit(
        "a request line with its headers",
        "video.http.protocol._LONGEST_HEAD",
        "bytes",
        "431, and the connection is closed",
    ),
)

OURS: Final = frozenset(
    [
        "video.access.limit._LONGEST",
        "video.access.limit._MOST",
        "video.access.login._LARGEST",
        "video.access.login._MOST_FIELDS",
        "video.access.login_guard._LONGEST_NAME",
        "video.access.login_guard._MOST_WAITING",
        "video.access.next_url._LONGEST",
        "video.access.origin._LONGEST",
        "video.access.session._LONGEST",
        "video.access.session._MOST_ENDED",
        "video.api.application._MOST_SHOWN",
        "video.api.events._LONGEST_ID",
        "video.http.routes._LONGEST_WAIT",
        "video.http.server._LONGEST_MESSAGE",
        "video.http.websocket._MOST_FRAGMENTS",
        "video.streams.mjpeg.broadcast._MOST_TRUST",
        "video.streams.socket.roster._AT_MOST_EVERY",
        "video.streams.socket.wire._MOST_CAMERAS",
    ]
)
"""Constants that bound our own work, and nothing that comes from outside."""
