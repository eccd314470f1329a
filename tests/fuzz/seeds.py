"""Valid inputs from which the fuzzer starts, and the words that its inputs are made of."""

from collections.abc import Mapping, Sequence
from functools import cache
from io import BytesIO
from typing import Any, Final

import cv2
import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pipeline.wire import mat, picture
from pipeline.wire.jpeg import COMMENT, EXIF, JFIF, START
from tests.fuzz import of_browsers, of_models, of_stand_in, of_streams
from tests.fuzz.of_masking import texts
from tests.fuzz.of_messages import beats, headers, messages, records
from tests.fuzz.of_settings import environments
from tests.jpegs import segment, segments

WORDS: Final = (
    *(bytes([0xFF, marker]) for marker in (0x01, *range(0xC0, 0xE2), 0xEE, 0xFE, 0xFF)),
    b"\xff\xd8\xff",
    b"Exif\0\0II*\0",
    b"Adobe\0",
    b"JFIF\0",
    b"\x89PNG\r\n\x1a\n",
    *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT", b"zTXt"),
    b"\r\n",
    b"\n\n",
    b"\r\n\r\n",
    b"\r\n--b\r\n",
    b"--b--",
    b"Content-Type: image/jpeg\r\n",
    b"Content-Type: image/png\r\n",
    b"Content-Type: text/plain\r\n",
    b"Content-Length: ",
    b"RTSP/1.0 200 ",
    b"Transport: ",
    b"Location: ",
    b";source=",
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"BM",
    b"RIFF",
    b"WEBPVP8X",
    b"WEBPVP8L",
    b"WEBPVP8 ",
    *(b'"%b": ' % name for name in (b"model", b"results", b"label", b"score", b"box")),
    *(b'"%b": ' % name for name in (b"seq", b"age_ms", b"took_ms")),
    *(b'"%b": ' % name for name in (b"state", b"reason", b"since", b"health", b"interval", b"member")),
    *(b"null", b"NaN", b"-Infinity", b"1e300", b"9007199254740992", b'"\\ud800"'),
    b'"instances": [',
    b'"b64": "',
    b"[[1.0], [",
    b"-1e308",
    b"Infinity",
    b"\x12\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f",  # the largest size of a dimension
    b'{"mat":"',
    b'","channels":3,"rows":',
    b',"cols":',
    b',"type":16}',
    b'"type":',
    b'"watch"',
    b'"cameras":{',
    b'"ack"',
    b"\\ud800",
    b"GET /ws HTTP/1.1\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Upgrade: websocket\r\nConnection: Upgrade\r\n",
    b"X-Forwarded-For: ",
    b"Last-Event-ID: ",
    b"streamlens=",
    b"\xfe\xfe",
)
"""Words of the formats."""


@cache
def pictures() -> Sequence[bytes]:
    """Return small pictures of every kind that cameras send."""
    image = cv2.resize(
        np.random.default_rng(1).integers(0, 256, (4, 5, 3), np.uint8),
        (50, 35),
        interpolation=cv2.INTER_LINEAR,
    )
    ours = picture.encode(image, 85)  # type: ignore[arg-type]  # OpenCV promises no element type
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    head = next(begin for marker, begin, _ in segments(ours) if marker == JFIF)
    plain = b"".join(ours[begin:end] for marker, begin, end in segments(ours) if marker != 0xC4)
    *_, (_, _, scan) = segments(ours)
    return [
        ours,
        _coded(image, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        _coded(image[..., 0]),
        _coded(image, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
        ours[:head] + segment(EXIF, exif) + segment(COMMENT, b"\xff\xd8\xff\r\n--b\r\n") + ours[head:],
        START + plain + ours[scan:],
        ours[:-2],
        *(cv2.imencode(form, image)[1].tobytes() for form in (".png", ".gif", ".bmp", ".webp")),
        cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes(),
    ]


@cache
def pngs() -> Sequence[bytes]:
    """Return small PNGs: still and moving, with a text, with a palette, and with 16 bits."""
    grey = np.random.default_rng(2).integers(0, 256, (4, 5), np.uint8)
    images = [
        Image.fromarray(grey),
        Image.fromarray(grey).convert("P"),
        Image.fromarray(grey).convert("RGBA"),
    ]
    images.append(Image.fromarray(grey.astype(np.uint16)))
    text = PngInfo()
    text.add_text("Comment", "none" * 20, zip=True)
    made = [_png(image) for image in images]
    return [*made, _png(images[0], pnginfo=text), _png(images[0], save_all=True, append_images=images[2:3])]


@cache
def bodies() -> Sequence[bytes]:
    """Return bodies of several pictures, each with some cuts in front."""
    dot = _coded(np.zeros((8, 8), np.uint8))
    tiny = dot[:2] + b"".join(dot[begin:end] for marker, begin, end in segments(dot) if marker != 0xC4)
    tiny += dot[-4:]
    png = cv2.imencode(".png", np.zeros((2, 2, 3), np.uint8))[1].tobytes()
    typed = b"--b\r\nContent-Type: image/jpeg\r\n"
    made = []
    for each in tiny, tiny[:-2]:
        length = b"Content-Length: %d\r\n" % len(each)
        made += [
            2 * (typed + b"\r\n" + each + b"\r\n") + b"--b--\r\n",
            2 * (typed + length + b"\r\n" + each + b"\r\n"),
            2 * (b"--b\n" + each),
            2 * each,
        ]
    made.append(2 * (b"--b\r\nContent-Type: image/png\r\n\r\n" + png + b"\r\n") + typed + b"\r\n" + tiny)
    made.append(
        b"--b\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nabc\r\n" + typed + b"\r\n" + tiny
    )
    return [b"\x02\x00\x20\x01\x00" + each for each in made]


@cache
def dialogues() -> Sequence[bytes]:
    """Return what cameras answer over RTSP."""
    options = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: OPTIONS, DESCRIBE\r\n\r\n"
    sdp = b"v=0\r\ns=x\r\nm=video 0 RTP/AVP 96\r\n"
    described = b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: %d\r\n\r\n" % len(sdp) + sdp
    transport = b"Transport: RTP/AVP/UDP;unicast;client_port=1-2;server_port=5-6;source=10.0.0.1\r\n"
    moved = b"RTSP/1.0 302 Moved\r\nLocation: rtsp://10.0.0.1/\r\n\r\n"
    asked = b"REDIRECT rtsp://camera/ RTSP/1.0\r\nCSeq: 1\r\nLocation: rtsp://10.0.0.1/\r\n\r\n"
    setup = b"RTSP/1.0 200 OK\r\nCSeq: 3\r\n" + transport + b"Session: 1\r\n\r\n"
    return [options + described + setup, moved, asked + setup, b"$\0\0\3abc" + setup, b"\r\n" + 17 * setup]


@cache
def values() -> Sequence[bytes]:
    """Return values of messages in both formats."""
    grey = b'{"mat":"AAECAwQF","channels":1,"rows":2,"cols":3,"type":0}'
    alpha = b'{ "type": 24, "rows": 1, "cols": 1, "channels": 4, "mat" : "AAECAw==" }'
    return [mat.encode(np.zeros((2, 3, 3), np.uint8)), grey, alpha, *pictures()[:3]]


@cache
def seeds() -> Mapping[str, Sequence[bytes]]:
    """Return valid inputs for each of `tests.fuzz.targets.READERS`."""
    return {
        "multipart": bodies(),
        "rtsp": dialogues(),
        "head": pictures(),
        "capture": pictures(),
        "png": pngs(),
        "stamp": pictures()[:7],
        "covered": of_streams.covers(),
        "stream-id": of_streams.paths(),
        "wire": values(),
        "settings": environments(),
        "predictions": headers(),
        "message": messages(pictures()[0]),
        "status": records(),
        "members": beats(),
        "masking": texts(),
        "rest-answer": of_models.answers(),
        "grpc-answer": of_models.messages_(),
        "labels": of_models.files(),
        "request-pictures": of_stand_in.examples(pictures()),
        "rest": of_stand_in.bodies(),
        "grpc": of_stand_in.requests(),
        "socket-message": of_browsers.socket_messages(),
        "cookies": of_browsers.cookie_headers(),
        "headers": of_browsers.header_values(),
        "connection": of_browsers.connections(),
    }


def _png(image: Image.Image, **options: Any) -> bytes:
    written = BytesIO()
    image.save(written, "PNG", **options)
    return written.getvalue()


def _coded(image: "cv2.typing.MatLike", *options: int) -> bytes:
    return cv2.imencode(".jpg", image, options)[1].tobytes()
