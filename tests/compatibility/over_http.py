"""Cameras over HTTP."""

import itertools
import time
from typing import Final

from tests.compatibility.cameras import link, web_camera
from tests.compatibility.pictures import JPEGS, claiming, cmyk, encoded, monochrome, turned, without_tables
from tests.compatibility.situation import LEVELS, Refused, Shown, Situation
from tests.producer.sources.http import web

MULTIPART: Final = "multipart/x-mixed-replace; boundary=b"
_TYPE: Final = b"Content-Type: image/jpeg\r\n"
_UNCHANGED: Final = Shown("shown, the JPEGs unchanged")


def parts(
    pictures: list[bytes],
    *,
    before: bytes = b"--b\r\n",
    length: str = "right",
    kind: bytes = _TYPE,
    between: bytes = b"",
) -> bytes:
    """Return the parts of a multipart body."""
    body = b""
    for each in pictures:
        stated = {"right": len(each), "long": 3 * len(each), "short": len(each) // 3}.get(length)
        head = kind + (b"Content-Length: %d\r\n" % stated if stated else b"")
        body += before + head + b"\r\n" + each + b"\r\n" + between
    return body


def motion(*bodies: bytes, kind: str = MULTIPART) -> web.Answer:
    """Answer with a body that ends only when the client goes: these pieces in turn."""

    def answer(request: web.Request) -> None:
        request.send_response(200)
        request.send_header("Content-Type", kind)
        request.end_headers()
        for body in itertools.cycle(bodies):
            request.wfile.write(body)
            time.sleep(0.02)

    return answer


def paused(request: web.Request) -> None:
    """Send pictures with pauses in between, as a doorbell does."""
    request.send_response(200)
    request.send_header("Content-Type", MULTIPART)
    request.end_headers()
    while True:
        for each in JPEGS:
            request.wfile.write(parts([each]))
            time.sleep(0.7)


def endless_head(request: web.Request) -> None:
    request.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        request.wfile.write(b"X: y\r\n" * 1000)


def _ssh(request: web.Request) -> None:
    request.wfile.write(b"SSH-2.0-OpenSSH\r\n")


def flood(request: web.Request) -> None:
    request.send_response(200)
    request.send_header("Content-Type", MULTIPART)
    request.end_headers()
    while True:
        request.wfile.write(b"no picture " * 100_000)


def mjpeg(
    what: str, body: bytes, then: Shown = _UNCHANGED, kind: str = MULTIPART, **settings: str
) -> Situation:
    return Situation(f"Motion JPEG, {what}", web_camera(motion(body, kind=kind)), then, settings)


_PNG: Final = b"--b\r\nContent-Type: image/png\r\n\r\n" + encoded(".png")[0] + b"\r\n"
_TEXT: Final = b"--b\r\nContent-Type: text/plain\r\n\r\ntemperature=21\r\n"
_SOUND: Final = (
    b"--b\r\nContent-Type: audio/basic\r\nContent-Length: 4000\r\n\r\n" + bytes(range(250)) * 16 + b"\r\n"
)
_DELIMITED: Final = [data[:2] + b"\xff\xfe\x00\x09--b\r\n\x00\x00" + data[2:] for data in JPEGS]
_FLIPPING: Final = b"".join(parts([each], before=b"--%d\r\n" % number) for number, each in enumerate(JPEGS))

MOTION: Final = [
    mjpeg("as usual", parts(JPEGS)),
    mjpeg("no boundary before the first part", parts(JPEGS)[5:]),
    mjpeg("boundaries without dashes", parts(JPEGS, before=b"b\r\n")),
    mjpeg(
        "a quoted boundary that already has its dashes",
        parts(JPEGS),
        kind='multipart/x-mixed-replace; boundary="--b"',
    ),
    mjpeg("other boundaries than declared", parts(JPEGS, before=b"--other\r\n")),
    mjpeg("boundaries that change", _FLIPPING),
    mjpeg("no boundary declared", parts(JPEGS), kind="multipart/x-mixed-replace"),
    mjpeg("a boundary inside the JPEGs", parts(_DELIMITED), Shown()),
    mjpeg("lengths that are too large", parts(JPEGS, length="long")),
    mjpeg("lengths that are too small", parts(JPEGS, length="short")),
    mjpeg("no lengths", parts(JPEGS, length="none")),
    mjpeg("no headers in the parts", parts(JPEGS, length="none", kind=b"")),
    mjpeg("text in between", parts(JPEGS, between=_TEXT)),
    mjpeg("sound in between", parts(JPEGS, between=_SOUND)),
    mjpeg("JPEGs directly after each other", b"".join(JPEGS), kind="video/x-motion-jpeg"),
    mjpeg("as `application/octet-stream`", parts(JPEGS), kind="application/octet-stream"),
    mjpeg("without a content type", parts(JPEGS), kind=""),
    mjpeg("JPEGs without an end marker", parts([each[:-2] for each in JPEGS])),
    mjpeg(
        "JPEGs without Huffman tables",
        parts([without_tables(each) for each in JPEGS]),
        Shown("shown, the tables added"),
    ),
    mjpeg("bytes after the end of each JPEG", parts([each + bytes(100) for each in JPEGS])),
    mjpeg(
        "JPEGs that are to be turned (Exif)",
        parts([turned(each, 6) for each in JPEGS]),
        Shown("shown upright", size=(48, 64)),
    ),
    mjpeg("grey JPEGs", parts(monochrome())),
    mjpeg(
        "JPEGs in CMYK", parts([cmyk(level) for level in LEVELS]), Shown("shown, decoded and encoded again")
    ),
    mjpeg("progressive JPEGs", parts(encoded(".jpg", 2, 1)), _UNCHANGED),
    mjpeg(
        "PNGs",
        parts(encoded(".png"), kind=b"Content-Type: image/png\r\n"),
        Shown("shown, decoded and encoded again"),
    ),
    Situation(
        "Motion JPEG, a JPEG cut short among others",
        web_camera(motion(*(parts([each]) for each in [*JPEGS, JPEGS[0][:-50]]))),
        Shown("the others shown; counted as `bad_picture`", count=12, dropped="bad_picture"),
        {"frameinterval": "1ms"},
    ),
    mjpeg(
        "a JPEG that claims 65,500 x 65,500 pixels among others",
        parts([claiming(JPEGS[0], 65_500, 65_500), *JPEGS]),
        Shown("the others shown; counted as `too_large`", count=12, dropped="too_large"),
        frameinterval="1ms",
    ),
    mjpeg("with `ROTATE=90`", parts(JPEGS), Shown("shown, turned", size=(48, 64)), rotate="90"),
    mjpeg("with `IMAGESCALEX=0.5`", parts(JPEGS), Shown("shown, scaled", size=(32, 48)), imagescalex="0.5"),
    Situation("Motion JPEG, in chunks", web_camera(web.in_chunks(parts(JPEGS), MULTIPART, 100)), _UNCHANGED),
    Situation("Motion JPEG, with pauses on an open connection", web_camera(paused), _UNCHANGED),
    Situation(
        "Motion JPEG that ends after some pictures",
        web_camera(web.body(parts(JPEGS), MULTIPART)),
        Shown("shown; opened again", count=5),
    ),
    Situation(
        "Motion JPEG that ends after each picture",
        web_camera(web.body(parts(JPEGS[:1]), MULTIPART)),
        Shown("shown, one per second; opened again", levels=LEVELS[:1], count=3),
    ),
    Situation(
        "basic authentication, a password with `%23` for `#`",
        web_camera(web.basic("joe", "p#ss", motion(parts(JPEGS))), user="joe:p%23ss@"),
        _UNCHANGED,
    ),
    Situation(
        "digest authentication",
        web_camera(web.digest("joe", "secret", motion(parts(JPEGS))), user="joe:secret@"),
        _UNCHANGED,
    ),
    Situation(
        "a redirection on the camera's host",
        web_camera({"/": web.moved("/video"), "/video": motion(parts(JPEGS))}),
        _UNCHANGED,
    ),
]

TROUBLE: Final = [
    Situation(
        "a wrong password",
        web_camera(web.digest("joe", "secret", motion(b"")), user="joe:wrong@"),
        Refused("the camera does not accept this user name and password"),
    ),
    Situation(
        "no password where one is needed",
        web_camera(web.basic("joe", "secret", motion(b""))),
        Refused("the camera requires a password: http://USER:PASSWORD@..., with %23 for # and %40 for @"),
    ),
    Situation(
        "a password with `#`",
        link("http://joe:p#ss@127.0.0.1/"),
        Refused("the user name or password contains #, / or ?: write %23, %2F or %3F instead"),
    ),
    Situation(
        "a redirection to another host",
        web_camera(web.moved("http://localhost:1/")),
        Refused("the camera redirects to another host: name it in the link, or in REDIRECTHOSTS"),
    ),
    Situation(
        "a redirection to where a cloud keeps its metadata",
        web_camera(web.moved("http://169.254.169.254/latest")),
        Refused("the camera redirects to 169.254.169.254, where a cloud keeps its metadata"),
    ),
    Situation(
        "a redirection to a link-local address",
        web_camera(web.moved("http://169.254.3.4/")),
        Refused(
            "the camera redirects to 169.254.3.4, a link-local address:"
            " if that is meant, write this address in the link or REDIRECTHOSTS"
        ),
    ),
    Situation(
        "a redirection to Kafka's address",
        web_camera(web.moved("http://127.0.0.1:1/")),
        Refused("the camera redirects to port 1 of 127.0.0.1, a service of Streamlens itself"),
    ),
    Situation(
        "redirections in a circle",
        web_camera(web.moved("/")),
        Refused("the camera redirects more than 5 times"),
    ),
    Situation(
        "a web page instead of video",
        web_camera(web.body(b"<!DOCTYPE html>", "text/html")),
        Refused("the camera answers with a web page: expected the URL of its video, which its manual names"),
    ),
    Situation(
        "JSON instead of video",
        web_camera(web.body(b'{"error": "login"}', "application/json")),
        Refused(
            "the camera answers with application/json: expected the URL of its video, which its manual names"
        ),
    ),
    Situation(
        "a text instead of video",
        web_camera(web.body(b"camera ready", "text/plain")),
        Refused(
            "the camera answers with text/plain, and FFmpeg finds no video in it:"
            " expected the URL of its video, which its manual names"
        ),
    ),
    Situation("a wrong path", web_camera(web.status(404)), Refused("the camera has nothing at this path")),
    Situation(
        "no permission for a path",
        web_camera(web.status(403)),
        Refused("the camera's user has no permission for this path"),
    ),
    Situation(
        "an error of the camera",
        web_camera(web.status(503)),
        Refused("the camera answers 503 Service Unavailable"),
    ),
    Situation(
        "a closed port", link("http://127.0.0.1:{port}/"), Refused("nothing answers at this port of its host")
    ),
    Situation(
        "the address of a cloud's metadata",
        link("http://169.254.169.254/"),
        Refused("it leads to 169.254.169.254, where a cloud keeps its metadata"),
    ),
    Situation(
        "Kafka's address",
        link("http://127.0.0.1:1/"),
        Refused("it leads to port 1 of 127.0.0.1, a service of Streamlens itself"),
    ),
    Situation(
        "a host that stands for an address of the producer's machine",
        link("http://127.1/"),
        Refused(
            "it leads to 127.0.0.1, an address of this machine:"
            " if that is meant, write this address in the link or REDIRECTHOSTS"
        ),
    ),
    Situation("an unknown host", link("http://camera.invalid/"), Refused("its host name is unknown")),
    Situation(
        "another server than a web server",
        web_camera(_ssh),
        Refused("its answer is not HTTP: it does not begin with HTTP/1.0 or HTTP/1.1, and a status"),
    ),
    Situation(
        "endless headers",
        web_camera(endless_head),
        Refused("its answer is not HTTP: it has more than 100 headers"),
    ),
    Situation(
        "endless data without a picture",
        web_camera(flood),
        Refused("the camera sends no picture in 32 MiB, which begin with b'no picture no picture no'"),
    ),
    Situation(
        "a playlist that names another host",
        web_camera(
            web.body(
                b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://localhost:1/a.ts\n#EXT-X-ENDLIST\n",
                "application/vnd.apple.mpegurl",
            )
        ),
        Refused("the camera refers to another host: name it in the link, or in REDIRECTHOSTS"),
    ),
    Situation(
        "a playlist that names where a cloud keeps its metadata",
        web_camera(
            web.body(
                b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://169.254.169.254/a.ts\n#EXT-X-ENDLIST\n",
                "application/vnd.apple.mpegurl",
            )
        ),
        Refused("the camera refers to 169.254.169.254, where a cloud keeps its metadata"),
    ),
    Situation(
        "a playlist that names a file of the producer's machine",
        web_camera(
            web.body(
                b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/a.ts\n#EXT-X-ENDLIST\n",
                "application/vnd.apple.mpegurl",
            )
        ),
        Refused("the camera refers to a URL with file://, expected http:// or https://"),
    ),
]


class _Changing:
    """Answers each request with the next picture."""

    def __init__(self, pictures: list[bytes], kind: str) -> None:
        self.pictures, self.kind, self.count = pictures, kind, 0

    def __call__(self, request: web.Request) -> None:
        self.count += 1
        web.body(self.pictures[self.count % len(self.pictures)], self.kind)(request)


class _Slow(_Changing):
    """Needs two seconds for each picture."""

    def __call__(self, request: web.Request) -> None:
        time.sleep(2)
        super().__call__(request)


class _Busy(_Changing):
    """Answers every second request that it is busy."""

    def __init__(self, pictures: list[bytes], kind: str) -> None:
        super().__init__(pictures, kind)
        self.requests = itertools.count()

    def __call__(self, request: web.Request) -> None:
        if next(self.requests) % 2:
            request.send(503, b"", Retry_After="1")
        else:
            super().__call__(request)


class _Cut(_Busy):
    """Closes the connection in the middle of every second picture."""

    def __call__(self, request: web.Request) -> None:
        if next(self.requests) % 2:
            head = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 9999\r\n\r\n"
            request.wfile.write(head + JPEGS[0][:99])
            request.close_connection = True
        else:
            _Changing.__call__(self, request)


def unchanged(request: web.Request) -> None:
    """Answer that the picture has not changed, if the client has it."""
    if request.headers.get("If-None-Match"):
        request.send(304)
    else:
        web.body(JPEGS[0], "image/jpeg", ETag='"1"')(request)


SNAPSHOTS: Final = [
    Situation(
        "a JPEG per request",
        web_camera(_Changing(JPEGS, "image/jpeg")),
        Shown("shown, one per second", count=3),
    ),
    Situation(
        "a JPEG per request, with `FRAMEINTERVAL=200ms`",
        web_camera(_Changing(JPEGS, "image/jpeg")),
        Shown("shown, five per second"),
        {"frameinterval": "200ms"},
    ),
    Situation(
        "a camera that needs two seconds per picture, with `FROZENAFTER=1s`",
        web_camera(_Slow(JPEGS, "image/jpeg")),
        Shown("shown, at its own pace", count=3),
        {"frozenafter": "1s", "frameinterval": "200ms"},
    ),
    Situation(
        "a camera that answers every second request with 503",
        web_camera(_Busy(JPEGS, "image/jpeg")),
        Shown(
            "shown, after the pause that it asks for; counted as `bad_picture`",
            count=3,
            dropped="bad_picture",
        ),
        {"frameinterval": "200ms"},
    ),
    Situation(
        "a camera that cuts off every second picture",
        web_camera(_Cut(JPEGS, "image/jpeg")),
        Shown("the others shown; counted as `bad_picture`", count=3, dropped="bad_picture"),
        {"frameinterval": "200ms"},
    ),
    *(
        Situation(
            f"a {name} per request",
            web_camera(_Changing(encoded(form), f"image/{form[1:]}")),
            Shown("shown, one per second", count=2),
        )
        for name, form in (("PNG", ".png"), ("WebP", ".webp"), ("BMP", ".bmp"))
    ),
    Situation(
        "a JPEG per request that has not changed (`ETag`)",
        web_camera(unchanged),
        Shown("shown again", levels=LEVELS[:1], count=3),
    ),
    Situation(
        "an AVIF",
        web_camera(web.body(encoded(".avif")[0], "image/avif")),
        Shown("shown, once a second", levels=LEVELS[:1], count=2),
    ),
]
