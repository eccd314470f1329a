"""Limits on what cameras send."""

from typing import Final

from tests.limits.limit import Limit

LIMITS: Final = (
    Limit(
        "a picture over HTTP, and what stands between two of them",
        "producer.sources.http.pictures.LARGEST_PART",
        "bytes",
        "the camera is given up, with this reason",
    ),
    Limit(
        "chunks of a PNG over HTTP",
        "producer.sources.png.MOST_CHUNKS",
        "chunks",
        "the picture is skipped, or the camera is given up, with this reason",
    ),
    Limit(
        "the frames of an animated PNG over HTTP, unpacked",
        "producer.sources.png.MOST_UNPACKED",
        "bytes",
        "the camera is given up, with this reason",
    ),
    Limit(
        "what is said about a camera, which may quote it",
        "pipeline.wire.text._LONGEST_REASON",
        "characters",
        "it is cut, and made one line",
    ),
    Limit(
        "until a camera's first picture",
        "producer.settings.ProducerSettings.opentimeout",
        "s",
        "the camera is given up, with this reason",
    ),
    Limit(
        "without a new picture (more for a slow camera)",
        "producer.settings.ProducerSettings.frozenafter",
        "s",
        "the camera is given up, with this reason",
    ),
    Limit(
        "how long a camera may ask to be left alone (`Retry-After`)",
        "producer.sources.http.request._LONGEST_RETRY",
        "s",
        "it is tried again after this time",
    ),
    Limit(
        "a part of an encrypted HLS stream",
        "producer.sources.http.body._LARGEST_ENCRYPTED",
        "bytes",
        "the camera is given up, with this reason",
    ),
    Limit(
        "between two frames of a film, by its clock",
        "producer.sources.film._LONGEST",
        "s",
        "the next frame comes at the film's rate",
    ),
    Limit(
        "bytes of a frame of H.264, H.265, H.266, VP9 or AV1, for each pixel of `MAXPIXELS`",
        "producer.sources.video._MOST_KEPT",
        "",
        "the camera is given up, with this reason",
    ),
    Limit(
        "redirections of a camera's web server, one after the other",
        "producer.sources.http.request._MOST_REDIRECTS",
        "",
        "the camera is given up, with this reason",
    ),
    Limit(
        "streams that a camera sends over UDP (`rtsp+udp`), each to two ports",
        "producer.sources.control._MOST_TRANSPORTS",
        "",
        "the camera is given up, with this reason",
    ),
    Limit(
        "a line of a camera's answer over `rtsp+udp`",
        "producer.sources.control._LONGEST_LINE",
        "bytes",
        "the camera is given up, with this reason",
    ),
    Limit(
        "header lines of such an answer",
        "producer.sources.control._MOST_LINES",
        "",
        "the camera is given up, with this reason",
    ),
    Limit(
        "the body of such an answer (SDP)",
        "producer.sources.control._LARGEST_BODY",
        "bytes",
        "the camera is given up, with this reason",
    ),
)

OURS: Final = frozenset(
    [
        "producer.camera._LONGEST_WAIT",
        "producer.sources.film._LONGEST_REST",
        "producer.sources.http.body._MOST_READS",
        "producer.sources.http.pictures.LONGEST_HEAD",
        "producer.sources.http.pictures._LONGEST_LINE",
        "producer.sources.http.pictures._LONGEST_START",
        "producer.sources.http.pictures._MOST_FIELDS",
        "producer.sources.keyframes._LONGEST",
        "producer.sources.video._MOST_THREADS",
    ]
)
"""Constants that bound our own work, and nothing that comes from outside."""
