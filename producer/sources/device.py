"""A camera attached to this machine."""

from producer.sources.opencv import OpenCVSource, open_capture
from producer.sources.source import Source, Timeouts


def open_source(link: str, _: Timeouts) -> Source:
    """Open a device by number or by its path below `/dev`; raise `CaptureError` if that fails."""
    return OpenCVSource(open_capture(int(link) if link.isdecimal() else link))
