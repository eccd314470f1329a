"""A camera, or any other stream, on the network."""

from producer.sources.opencv import OpenCVSource, open_with_ffmpeg
from producer.sources.source import Source, Timeouts


def open_source(link: str, timeouts: Timeouts) -> Source:
    """Open the stream at a URL; raise `CaptureError` if that fails."""
    scheme, separator, rest = link.partition("://")
    address = scheme.lower() + separator + rest  # FFmpeg recognises schemes in lower case only
    return OpenCVSource(open_with_ffmpeg(address, timeouts))
