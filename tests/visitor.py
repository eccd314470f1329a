"""A visitor of the video server's page without a browser: with cookies, as pages send their requests."""

import asyncio
import http.cookiejar
import json
import ssl
import urllib.request
from http.client import HTTPResponse
from typing import IO, cast
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit

from websockets.asyncio.client import connect

from video.streams.socket import wire


class Visitor:
    """Opens the page at an address, which ends with a slash; `cafile` is the certificate to be trusted."""

    def __init__(self, page: str, cafile: str | None = None) -> None:
        parts = urlsplit(page)
        self.page = page
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.cookies = http.cookiejar.CookieJar()
        self._tls = ssl.create_default_context(cafile=cafile)
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=self._tls),
            urllib.request.HTTPCookieProcessor(self.cookies),
        )

    def ask(self, path: str, form: dict[str, str] | None = None, **headers: str) -> HTTPResponse:
        """Return the answer to a request, after redirections; a form is sent as our own page sends it."""
        data = None if form is None else urlencode(form).encode()
        origin = {} if form is None else {"Origin": self.origin}
        request = urllib.request.Request(self.page + path, data, {**origin, **headers})
        try:
            return cast("HTTPResponse", self._opener.open(request, timeout=20))
        except HTTPError as error:
            return cast("HTTPResponse", error)

    def get(self, path: str, **headers: str) -> bytes:
        """Return the body of a 200."""
        with self.ask(path, None, **headers) as answer:
            assert answer.status == 200, answer.read()
            return answer.read()

    def log_in(self, name: str, password: str) -> str:
        """Send the login page's form; return the address of the page after it."""
        with self.ask("login", {"name": name, "password": password}, Accept="text/html") as answer:
            assert answer.status == 200, answer.read()
            return answer.url

    def watch(self, camera: str) -> bytes:
        """Return the first JPEG of a camera that arrives over the page's WebSocket."""
        # Not with a thread of its own for reading: before Python 3.13, TLS connections do not allow that.
        return asyncio.run(self._watch(camera))

    async def _watch(self, camera: str) -> bytes:
        request = urllib.request.Request(self.page)
        self.cookies.add_cookie_header(request)
        opening = connect(
            self.page.replace("http", "ws", 1) + "ws",
            ssl=self._tls if self.page.startswith("https") else None,
            additional_headers={"Origin": self.origin, **dict(request.header_items())},
            compression=None,
            proxy=None,
        )
        async with asyncio.timeout(20), opening as socket:
            await socket.send(json.dumps({"type": "watch", "cameras": {camera: 0}}))
            async for message in socket:
                if isinstance(message, bytes):
                    return message[wire.PICTURE.size :]
        raise AssertionError("the socket ended without a picture")


def read_part(stream: IO[bytes]) -> bytes:
    """Return the JPEG of the next part of an MJPEG stream, once the boundary after it has come."""
    length = 0
    while line := stream.readline().strip():
        name, _, value = line.partition(b":")
        length = int(value) if name == b"Content-Length" else length
    jpeg = stream.read(length)
    assert stream.readline() == b"\r\n"
    assert stream.readline() == b"--frame\r\n"
    return jpeg
