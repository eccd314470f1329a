"""What stands in for the training service."""

import threading
from email import message_from_bytes
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FakeService:
    """Answers with the statuses in `answers`, then 200, and keeps the requests.

    The next answers lack the bytes in `lacks`, and are nonsense where that is negative.
    """

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answers: list[tuple[int, bytes]] = []
        self.lacks: list[int] = []
        self.model = b"untrained"
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer("GET", b"")

            def do_POST(self) -> None:
                self._answer("POST", self._body())

            def _body(self) -> bytes:
                if (length := self.headers["Content-Length"]) is not None:
                    return self.rfile.read(int(length))
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def _answer(self, method: str, body: bytes) -> None:
                fake.requests.append((method, self.path, dict(self.headers), body))
                status, text = fake.answers.pop(0) if fake.answers else (200, fake.model)
                lacks = fake.lacks.pop(0) if fake.lacks else 0
                if lacks < 0:
                    self.wfile.write(b"nonsense\r\n\r\n")
                    return
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text[: len(text) - lacks])

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/results/7"
        threading.Thread(target=self._server.serve_forever, args=(0.05,)).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def sent(self, path: str) -> list[bytes]:
        return [body for _, found, _, body in self.requests if found == path]


def form_parts(headers: dict[str, str], body: bytes) -> dict[str, Any]:
    """Return the parts of a multipart body by their names."""
    head = f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode()
    form = message_from_bytes(head + body, policy=HTTP)
    return {str(part["content-disposition"].params["name"]): part for part in form.iter_parts()}
