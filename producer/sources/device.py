"""A camera attached to this machine."""

import sys
from typing import Final

from producer.sources.ffmpeg import open_video
from producer.sources.source import CaptureError, Limits, Source
from producer.sources.stream import StreamSource

_FORMATS: Final = {"linux": "v4l2", "darwin": "avfoundation"}


def open_source(link: str, limits: Limits, interval: float = 0) -> Source:
    """Open a device by number or by its path below `/dev`; raise `CaptureError` if that fails."""
    form = _FORMATS.get(sys.platform)
    if form is None:
        raise CaptureError("devices can be read on Linux and macOS only")
    path = f"/dev/video{link}" if link.isdecimal() and form == "v4l2" else link
    options = {"format_whitelist": form, "protocol_whitelist": "none"}
    return StreamSource(open_video(path, limits, interval, options, form=form))
