"""Opens videos with FFmpeg, through PyAV: on the network, in files, from devices."""

import time
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, Final

import av

from producer.sources.causes import cause
from producer.sources.source import CaptureError, Limits, SilentError
from producer.sources.video import Video

# Formats that hold a video themselves: FFmpeg must not follow a playlist or SDP to other files and hosts.
CONTAINERS: Final = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,live_flv,ogg,asf,asf_o,gif,apng,h264,hevc,"
    "vvc,obu,ivf,av1,mjpeg,mpjpeg,m4v,h263,h261,dv,dirac,mxf,nut,rm,swf,wtv,yuv4mpegpipe,vc1,cavsvideo,dhav,"
    "image2pipe,jpeg_pipe,png_pipe,bmp_pipe,webp_pipe,tiff_pipe"
)
_OPTIONS: Final = {
    # FFmpeg would buffer 20 frames to estimate their rate, so the first pictures would be that old.
    "fpsprobesize": "0",
}


def open_video(
    address: str | BinaryIO,
    limits: Limits,
    interval: float,
    options: Mapping[str, str],
    *,
    form: str | None = None,
    io_open: Callable[[str, int, Mapping[str, str]], Any] | None = None,
    on_close: Callable[[], None] = lambda: None,
) -> Video:
    """Open a path, URL, device, or file in memory; raise `CaptureError` if that fails.

    `options` are FFmpeg's. `form` is the format, if it is known. `io_open`
    opens URLs instead of FFmpeg. `on_close` is called when the video is closed.
    """
    begun = time.monotonic()
    try:
        container = av.open(
            address,
            "r",
            format=form,
            options={**_OPTIONS, "max_pixels": str(limits.pixels), **options},
            timeout=(limits.open, limits.read),
            io_open=io_open,
        )
    except av.FFmpegError as error:
        if time.monotonic() - begun >= 0.9 * limits.open:
            raise SilentError(limits.open) from None
        raise CaptureError(cause(error, limits.open)) from None
    try:
        return Video(container, limits, interval, on_close)
    except BaseException:
        container.close()
        raise
