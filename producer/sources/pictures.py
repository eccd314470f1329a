"""A camera's own pictures, checked: JPEGs as they are, everything else decoded."""

import struct
from typing import Final

from pipeline.service.recorder import working
from pipeline.wire import jpeg, largest, picture
from pipeline.wire.picture import PictureError
from producer import mjpeg
from producer.sources import png
from producer.sources.source import Captured, TooLargeError

_HEAD: Final = 512  # bytes in which an animated PNG says that it is one
_BMP_HEADER: Final = 40  # bytes; older headers have 16 bits for each side
_WEBP_HEADER: Final = 30
_SAME_EVERYWHERE: Final = (1, 3)  # colour components: grey, YCbCr


def captured(data: bytes, at: int, most: int = largest.PIXELS) -> Captured:
    """Return a picture that was captured at `at` ns since the epoch.

    A JPEG stays as it is, without its metadata, unless it has to be turned (Exif) or is CMYK. Such a JPEG, or
    a PNG, GIF, BMP or WebP, is decoded, once its header says that it has at most `most` pixels. Raises
    `TooLargeError` for a picture with more, and `PictureError` for what is not one.
    """
    with working("decode", len(data)):
        return _captured(data, at, most)


def _captured(data: bytes, at: int, most: int) -> Captured:
    try:
        width, height = jpeg.size(data, most) if data.startswith(jpeg.START) else _size(data, most)
        if (
            data.startswith(jpeg.START)
            and mjpeg.is_upright(data)
            and mjpeg.components(data) in _SAME_EVERYWHERE
        ):
            return Captured(mjpeg.self_contained(data), width, height, at)
    except jpeg.TooLargeError as error:
        raise TooLargeError(str(error)) from None
    except jpeg.JpegError as error:
        raise PictureError(str(error)) from None
    image = picture.decode(png.plain(data, most) if data.startswith(png.START) else data)
    height, width = image.shape[:2]
    return Captured(image, width, height, at)


def form_of(start: bytes) -> str | None:
    """Return FFmpeg's format of a picture that begins like this; None if FFmpeg finds out itself."""
    if start.startswith(b"\xff\xd8\xff"):
        return "jpeg_pipe"
    if start.startswith(png.START):
        return "apng" if b"acTL" in start[:_HEAD] else "png_pipe"
    return None


def _size(data: bytes, most: int) -> tuple[int, int]:
    """Return the width and height in the header of an image that is not a JPEG."""
    try:
        width, height = _size_in_header(data)
    except struct.error:
        raise PictureError("the picture is incomplete") from None
    if min(width, height) < 1:
        raise PictureError(f"expected a picture, found {width} x {height} pixels")
    if width * height > most:
        raise TooLargeError(f"expected at most {most} pixels (MAXPIXELS), found {width} x {height}")
    return width, height


def _size_in_header(data: bytes) -> tuple[int, int]:
    if not data:
        raise PictureError("expected a picture, found no data")
    if data.startswith(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"):
        return struct.unpack_from(">II", data, 16)
    if data.startswith((b"GIF87a", b"GIF89a")):
        return struct.unpack_from("<HH", data, 6)
    if data.startswith(b"BM"):
        length, width, height = struct.unpack_from("<Iii", data, 14)
        if length >= _BMP_HEADER:
            return width, abs(height)  # a negative height: rows from the top
    # https://developers.google.com/speed/webp/docs/riff_container
    if data.startswith(b"RIFF") and data[8:16] == b"WEBPVP8X" and len(data) >= _WEBP_HEADER:
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if data.startswith(b"RIFF") and data[8:16] == b"WEBPVP8L" and data[20:21] == b"\x2f":
        (bits,) = struct.unpack_from("<I", data, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if data.startswith(b"RIFF") and data[8:16] == b"WEBPVP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise PictureError(f"expected a JPEG, PNG, GIF, BMP or WebP, found {data[:16]!r}")
