"""A camera's own pictures, checked: JPEGs as they are, everything else decoded."""

import struct
from typing import Final

from pipeline.service.recorder import working
from pipeline.wire import jpeg, picture
from pipeline.wire.picture import PictureError
from producer import mjpeg
from producer.sources.source import Captured

_HEAD: Final = 512  # bytes in which an animated PNG says that it is one
_SAME_EVERYWHERE: Final = (1, 3)  # colour components: grey, YCbCr


def captured(data: bytes, at: int) -> Captured:
    """Return a picture that was captured at `at` ns since the epoch; raise `PictureError` if it is not one.

    A JPEG stays as it is, without its metadata, unless it has to be turned (Exif) or is CMYK. Such a JPEG, or
    a PNG, GIF, BMP or WebP, is decoded.
    """
    with working("decode", len(data)):
        return _captured(data, at)


def _captured(data: bytes, at: int) -> Captured:
    try:
        width, height = jpeg.size(data) if data.startswith(jpeg.START) else _size(data)
        if not 0 < width * height <= jpeg.MOST_PIXELS:
            raise PictureError(f"expected 1 to {jpeg.MOST_PIXELS} pixels, found {width} x {height}")
        if (
            data.startswith(jpeg.START)
            and mjpeg.is_upright(data)
            and mjpeg.components(data) in _SAME_EVERYWHERE
        ):
            return Captured(mjpeg.self_contained(data), width, height, at)
    except jpeg.JpegError as error:
        raise PictureError(str(error)) from None
    image = picture.decode(data)
    height, width = image.shape[:2]
    return Captured(image, width, height, at)


def form_of(start: bytes) -> str | None:
    """Return FFmpeg's format of a picture that begins like this; None if FFmpeg finds out itself."""
    if start.startswith(b"\xff\xd8\xff"):
        return "jpeg_pipe"
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "apng" if b"acTL" in start[:_HEAD] else "png_pipe"
    return None


def _size(data: bytes) -> tuple[int, int]:
    """Return the width and height in the header of an image that is not a JPEG."""
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return struct.unpack_from(">II", data, 16)
        if data.startswith((b"GIF87a", b"GIF89a")):
            return struct.unpack_from("<HH", data, 6)
        if data.startswith(b"BM"):
            width, height = struct.unpack_from("<ii", data, 18)
            return width, abs(height)  # a negative height: rows from the top
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return _size_of_webp(data)
    except struct.error:
        pass
    raise PictureError(f"expected a JPEG, PNG, GIF, BMP or WebP, found {data[:8]!r}")


def _size_of_webp(data: bytes) -> tuple[int, int]:
    # https://developers.google.com/speed/webp/docs/riff_container
    if data[12:16] == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if data[12:16] == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF
