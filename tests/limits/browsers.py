"""Limits on what browsers send."""

from typing import Final

from tests.limits.limit import Limit

LIMITS: Final = (
    Limit(
        "requests that wait on one connection for earlier answers (pipelining)",
        "pipeline.http.protocol._MOST_PIPELINED",
        "",
        "400, and the connection is closed; counted",
    ),
    Limit(
        "a request line with its headers",
        "pipeline.http.protocol._LONGEST_HEAD",
        "bytes",
        "431, and the connection is closed; counted",
    ),
    Limit(
        "from the first byte of a request's headers to the last",
        "pipeline.http.protocol._HEAD_TIMEOUT",
        "s",
        "the connection is closed; counted",
    ),
    Limit(
        "an answer that is not being read",
        "pipeline.http.protocol._UNREAD_TIMEOUT",
        "s",
        "the connection is closed; counted",
    ),
    Limit(
        "connections from one address",
        "video.settings.VideoSettings.maxperaddress",
        "",
        "the connection is closed; counted, and in the log with what to set",
    ),
    Limit(
        "streams, WebSockets and event streams at a time",
        "video.settings.VideoSettings.maxclients",
        "",
        "503 and `Retry-After`; a connection beyond twice as many is closed; counted, and in the log",
    ),
    Limit(
        "a stream or WebSocket that is not being read",
        "video.settings.VideoSettings.clienttimeout",
        "s",
        "it is disconnected; counted",
    ),
    Limit(
        "connections before the end of their TLS handshake",
        "pipeline.http.tls_listener._MOST",
        "",
        "the oldest of the address that has the most is closed; counted, and in the log",
    ),
    Limit(
        "a TLS handshake",
        "pipeline.http.tls_listener._PATIENCE",
        "s",
        "the connection is closed; counted",
    ),
    Limit(
        "requests for the status that wait",
        "video.api.status._MOST_WAITING",
        "",
        "503 and `Retry-After`",
    ),
    Limit(
        "a form",
        "pipeline.access.login._LARGEST",
        "bytes",
        "413",
    ),
    Limit(
        "fields of a form",
        "pipeline.access.login._MOST_FIELDS",
        "",
        "400",
    ),
    Limit(
        "wrong passwords of one client",
        "pipeline.access.login_guard._MOST_BY_CLIENT",
        "",
        "429 and `Retry-After`, 1 s to 60 s; each is in the log",
    ),
    Limit(
        "wrong passwords at one name",
        "pipeline.access.login_guard._MOST_BY_NAME",
        "",
        "429 and `Retry-After`, 1 s to 10 s; not for known devices",
    ),
    Limit(
        "passwords that wait to be checked",
        "pipeline.access.login_guard._MOST_WAITING",
        "",
        "429 and `Retry-After`",
    ),
    Limit(
        "passwords from one user's known devices that wait to be checked",
        "pipeline.access.login_guard._MOST_BY_USER",
        "",
        "429 and `Retry-After`",
    ),
    Limit(
        "wrong tokens of one client, which would allow changes",
        "pipeline.access.write_token._MOST_WRONG",
        "",
        "429 and `Retry-After`, or 403 with the time, 1 s to 60 s",
    ),
    Limit("the body of a change", "video.api.bodies.LARGEST", "bytes", "413"),
    Limit("previews at a time", "video.api.previews.MOST_PREVIEWS", "", "429 and `Retry-After`"),
    Limit(
        "a host name, where an answer or the log quotes it",
        "pipeline.access.hosts._LONGEST",
        "characters",
        "the rest is cut off",
    ),
    Limit(
        "a cookie",
        "pipeline.access.cookies._LONGEST",
        "characters",
        "it is ignored: 401, unless there is another login",
    ),
    Limit(
        "cookies of one name in a request",
        "pipeline.access.cookies._MOST",
        "",
        "further ones are ignored",
    ),
    Limit(
        "logouts remembered per user",
        "pipeline.access.logouts._MOST",
        "",
        "older sessions of this user end too",
    ),
    Limit(
        "the address to go to after a login (`next`)",
        "pipeline.access.next_url._LONGEST",
        "characters",
        "the page opens instead",
    ),
    Limit(
        "`?wait=`",
        "video.http.routes._LONGEST_WAIT",
        "s",
        "400",
    ),
    Limit(
        "an event's id in `Last-Event-ID`",
        "video.api.events._LONGEST_ID",
        "digits",
        "400",
    ),
    Limit(
        "searches and small pictures that wait",
        "video.api.labels._MOST_WAITING",
        "",
        "503 and `Retry-After`",
    ),
    Limit(
        "a message on the WebSocket",
        "pipeline.http.server._LONGEST_MESSAGE",
        "bytes",
        "the WebSocket is closed with 1009",
    ),
    Limit(
        "fragments of a message",
        "pipeline.http.websocket._MOST_FRAGMENTS",
        "",
        "the WebSocket is closed with 1009; counted",
    ),
    Limit(
        "cameras watched by one WebSocket",
        "video.streams.socket.wire._MOST_CAMERAS",
        "",
        "the WebSocket is closed with 1008; counted",
    ),
)

OURS: Final = frozenset(
    [
        "pipeline.service.networks._LONGEST",
        "pipeline.access.limit._MOST",
        "pipeline.access.logouts.LONGEST",
        "pipeline.access.login_guard._LONGEST_NAME",
        "pipeline.access.origin._LONGEST",
        "video.api.application._MOST_SHOWN",
        "pipeline.http.tls_listener._LONGEST_READ",
        "video.streams.client._MOST_TRUST",
        "video.streams.inferred.identity._MOST_SHOWN",
        "video.streams.socket.roster._AT_MOST_EVERY",
    ]
)
"""Constants that bound our own work, and nothing that comes from outside."""
