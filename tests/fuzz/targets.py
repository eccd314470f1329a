"""What has to be true of each reader, whatever bytes it gets.

Each function takes one input. A failed assertion is a fault, and so is an exception that the reader does not
declare.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from io import BytesIO
from typing import Final
from unittest import mock

import cv2
import numpy as np

from pipeline import stamp
from pipeline.wire import frame, jpeg, mat, picture
from pipeline.wire.frame import Frame, FrameError
from pipeline.wire.jpeg import END, START, JpegError
from pipeline.wire.picture import PictureError
from pipeline.wire.predictions import Prediction, Result
from producer import mjpeg
from producer.sources.control import ControlError, answers
from producer.sources.http import pictures as reader
from producer.sources.pictures import captured
from producer.sources.png import plain
from tests.fuzz import of_browsers, of_models, of_stand_in, of_streams
from tests.fuzz.of_masking import masking
from tests.fuzz.of_messages import beaten, framed, predicted, reported
from tests.fuzz.of_settings import settings

_PREDICTIONS: Final = (
    Prediction("imagenet_1", (Result("mountain bike", 0.93),), 17, 41),
    Prediction("detect_2", (Result("person", 0.5, (3, 5, 20, 30)),), 17, 41),
)
_MOST_PIXELS: Final = 256 * 256
_LONGEST_LINE: Final = 4095  # bytes that FFmpeg keeps of a line
_STANDARD_TABLES: Final = 432  # bytes that a JPEG without Huffman tables gets
_LARGEST_PART, _LONGEST_HEAD = 1500, 300


def multipart(data: bytes) -> None:
    """Read a camera's body.

    The first byte is the number of cuts, and each pair of bytes after it the place of one.
    """
    count = data[0] % 8 if data else 0
    numbers, body = data[1 : 1 + 2 * count], data[1 + 2 * count :]
    cuts = [int.from_bytes(numbers[at : at + 2]) % (len(body) + 1) for at in range(0, len(numbers), 2)]
    pieces = [body[begin:end] for begin, end in _between(sorted(cuts), len(body))]

    found, reason = _read([body])
    assert not reason, reason  # an input is much shorter than any limit
    assert _read(pieces) == (found, reason), "the pictures depend on where the network cuts"
    assert sum(map(len, found)) <= len(body) + len(END) * len(found)
    for each in found:
        assert not each.startswith(START) or each.endswith(END)
    with mock.patch.multiple(reader, LARGEST_PART=_LARGEST_PART, LONGEST_HEAD=_LONGEST_HEAD):
        _read(pieces)


def head(data: bytes) -> None:
    """Read a JPEG's head. Where a decoder finds a picture, too, it has the same size."""
    with suppress(JpegError):
        width, height = jpeg.size(data, _MOST_PIXELS)
        assert 0 < width * height <= _MOST_PIXELS
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        assert image is None or image.shape == (height, width, 3)
    with suppress(JpegError):
        assert 0 < jpeg.head_length(data) <= min(len(data), jpeg.LONGEST_HEAD)
    with suppress(JpegError):
        assert mjpeg.components(data) >= 0
    with suppress(JpegError):
        mjpeg.is_upright(data)
    with suppress(JpegError):
        own = mjpeg.self_contained(data)
        assert own.startswith(START)
        assert own.endswith(END)
        assert mjpeg.self_contained(own) == own
        assert mjpeg.is_upright(own)
        assert _size(own) == (_size(data) or _size(own))


def capture(data: bytes) -> None:
    """Take a camera's picture."""
    with suppress(PictureError):
        taken = captured(data, 7, _MOST_PIXELS)
        assert 0 < taken.width * taken.height <= _MOST_PIXELS
        if isinstance(taken.picture, bytes):
            assert jpeg.size(taken.picture) == (taken.width, taken.height)
            assert captured(taken.picture, 7) == taken
            assert len(taken.picture) <= len(data) + _STANDARD_TABLES
        else:
            assert taken.picture.shape == (taken.height, taken.width, 3)


def png(data: bytes) -> None:
    """Leave out of a PNG what is not needed to show it."""
    for animated in False, True:
        with suppress(PictureError):
            kept = plain(data, _MOST_PIXELS, animated=animated)
            assert len(kept) <= len(data)
            assert plain(kept, _MOST_PIXELS, animated=animated) == kept
            if not animated:  # OpenCV gets no others: it crashes on some
                image = cv2.imdecode(np.frombuffer(kept, np.uint8), cv2.IMREAD_COLOR)
                assert image is None or 0 < image.shape[0] * image.shape[1] <= _MOST_PIXELS


def stamped(data: bytes) -> None:
    """Stamp a frame, at its own quality and at another."""
    with suppress(JpegError, PictureError):
        width, height = jpeg.size(data, _MOST_PIXELS)
        for quality in None, 70:
            result = stamp.stamp(Frame("door", 1, 1, data, width, height, _PREDICTIONS), quality)
            assert jpeg.size(result) == picture.decode(result).shape[1::-1]
            assert sorted(jpeg.size(result)) == sorted((width, height))  # Exif may have turned it


def rtsp(data: bytes) -> None:
    """Rewrite a camera's RTSP answers, and read them as FFmpeg does."""
    found = list[bytes]()
    with suppress(ControlError):
        for answer in answers(BytesIO(data), "192.0.2.1"):
            found.append(answer)
    text = b"".join(found)
    assert list(answers(BytesIO(text), "192.0.2.1")) == found
    heads = list(_as_ffmpeg_reads(BytesIO(text)))
    assert len(heads) == len(found)
    for head in heads:
        assert head[0].startswith(b"RTSP/1.0 ")
        assert not any(line.lower().startswith(b"location:") for line in head)
        for line in head:
            if line.lower().startswith(b"transport:"):
                assert line.count(b"source=") == line.count(b";source=192.0.2.1") == 1
                assert b"destination" not in line.lower()


def _as_ffmpeg_reads(stream: BytesIO) -> Iterator[list[bytes]]:
    """Yield the lines of each answer, as `ff_rtsp_read_reply` in FFmpeg's rtsp.c finds them."""
    lines, line = list[bytes](), b""
    while byte := stream.read(1):
        if byte == b"$" and not line:
            stream.read(int.from_bytes(stream.read(3)[1:]))
        elif byte == b"\n" and line:
            lines.append(line.partition(b"\0")[0])
            line = b""
        elif byte == b"\n":
            lengths = [each[15:] for each in lines if each.lower().startswith(b"content-length:")]
            stream.read(int(lengths[-1]))
            yield lines
            lines = []
        elif byte != b"\r" and len(line) < _LONGEST_LINE:
            line += byte


def wire(data: bytes) -> None:
    """Read a message's value, as this system and the original write it."""
    most = _MOST_PIXELS
    with suppress(FrameError):
        found = frame.decode(frame.Message(b"door", data, []), offset=7, timestamp=8, most_pixels=most)
        assert 0 < found.width * found.height <= most
        assert jpeg.size(found.jpeg, most) == (found.width, found.height)
        if data.startswith(b"{"):
            assert mat.decode(data, most).shape == (found.height, found.width, 3)
            assert picture.decode(found.jpeg).shape == (found.height, found.width, 3)


GRAPHS: Final[Mapping[str, Callable[[bytes], None]]] = {"rest": of_stand_in.rest, "grpc": of_stand_in.grpc}
"""Those of `READERS` that import TensorFlow."""

READERS: Final[Mapping[str, Callable[[bytes], None]]] = {
    "multipart": multipart,
    "rtsp": rtsp,
    "head": head,
    "capture": capture,
    "png": png,
    "stamp": stamped,
    "covered": of_streams.separated,
    "stream-id": of_streams.identified,
    "wire": wire,
    "settings": settings,
    "predictions": predicted,
    "message": framed,
    "status": reported,
    "members": beaten,
    "masking": masking,
    "rest-answer": of_models.answer,
    "grpc-answer": of_models.message,
    "labels": of_models.labels,
    "request-pictures": of_stand_in.memory,
    **GRAPHS,
    "socket-message": of_browsers.socket_message,
    "cookies": of_browsers.cookies,
    "headers": of_browsers.headers,
    "connection": of_browsers.connection,
}
"""The functions, by the names on the command line."""


def _read(pieces: Sequence[bytes]) -> tuple[list[bytes], str]:
    """Return the pictures in a body, and why the camera is given up, if it is."""
    pictures, found = reader.Pictures(), list[bytes]()
    try:
        for piece in pieces:
            found += pictures.feed(piece)
            assert len(pictures._data) <= (reader.LARGEST_PART if pictures._part else reader.LONGEST_HEAD)
        found += pictures.end()
    except reader.NoPicturesError as error:
        return found, str(error)
    return found, ""


def _between(cuts: Sequence[int], end: int) -> Iterator[tuple[int, int]]:
    yield from zip([0, *cuts], [*cuts, end], strict=True)


def _size(data: bytes) -> tuple[int, int] | None:
    try:
        return jpeg.size(data)
    except JpegError:
        return None
