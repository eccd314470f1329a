"""A camera's web server, scripted."""

import base64
import hashlib
import socket
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.request import parse_http_list, parse_keqv_list

from pipeline.service.values import Address

Answer = Callable[["Request"], None]


class Request(BaseHTTPRequestHandler):
    """One request; answered by the function that the server has for its path."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        self.server.requests.append(f"{self.headers.get('Host')}{self.path}")
        self.server.answers.get(self.path, status(404))(self)

    def send(self, code: int, body: bytes = b"", **headers: str) -> None:
        """Send a whole answer."""
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Serves until the block ends."""

    daemon_threads = True

    def __init__(self, answers: Mapping[str, Answer], address: str = "127.0.0.1") -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        super().__init__((address, 0), Request)
        self.answers = answers
        self.requests: list[str] = []
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)

    @property
    def host(self) -> str:
        """Its host and port."""
        return str(Address(str(self.server_address[0]), self.server_address[1]))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join(10)

    def handle_error(self, *_: Any) -> None:
        """Say nothing: clients leave in the middle of a body."""


def status(code: int, **headers: str) -> Answer:
    """Answer with a status and nothing else."""
    return lambda request: request.send(code, b"", **headers)


def body(data: bytes, kind: str, **headers: str) -> Answer:
    """Answer with a body of a known length."""
    return lambda request: request.send(200, data, Content_Type=kind, **headers)


def ranges(data: bytes, kind: str) -> Answer:
    """Answer with a body, from the byte on that is asked for."""

    def answer(request: Request) -> None:
        start = int(request.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        headers = {"Content_Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
        request.send(206 if start else 200, data[start:], Content_Type=kind, Accept_Ranges="bytes", **headers)

    return answer


def in_chunks(data: bytes, kind: str, size: int) -> Answer:
    """Answer with a body in chunks of this size."""

    def answer(request: Request) -> None:
        request.send_response(200)
        request.send_header("Content-Type", kind)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        for at in range(0, len(data), size):
            chunk = data[at : at + size]
            request.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        request.wfile.write(b"0\r\n\r\n")

    return answer


def moved(location: str, code: int = 302) -> Answer:
    """Redirect to a location."""
    return status(code, Location=location)


def basic(user: str, password: str, then: Answer) -> Answer:
    """Require basic authentication (RFC 7617)."""
    expected = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def answer(request: Request) -> None:
        if request.headers.get("Authorization") == expected:
            then(request)
        else:
            request.send(401, b"", WWW_Authenticate='Basic realm="camera"')

    return answer


def digest(user: str, password: str, then: Answer) -> Answer:
    """Require digest authentication (RFC 7616, MD5 and qop=auth)."""
    challenge = 'Digest realm="camera", nonce="n0nce", qop="auth", algorithm=MD5'

    def answer(request: Request) -> None:
        kind, _, text = request.headers.get("Authorization", "").partition(" ")
        if kind == "Digest":
            fields = parse_keqv_list(parse_http_list(text))
            if fields["response"] == _response(fields, user, password, request.path):
                then(request)
                return
        request.send(401, b"", WWW_Authenticate=challenge)

    return answer


def _response(fields: dict[str, str], user: str, password: str, path: str) -> str:
    secret, what = _md5(f"{user}:camera:{password}"), _md5(f"GET:{path}")
    return _md5(f"{secret}:n0nce:{fields['nc']}:{fields['cnonce']}:auth:{what}")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
