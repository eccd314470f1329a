"""An HTTP server that refuses every request, and repeats it in its answer, as careless servers do."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


class EchoServer:
    """Answers 401 at paths that contain `refuse`, and 500 at all others, until the block ends."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"
        self.seen = _Handler.seen = set[str]()
        """The values of all headers Authorization."""

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    seen: set[str]

    def do_GET(self) -> None:
        login = self.headers.get("Authorization", "")
        self.seen.add(login)
        plain = (
            base64.b64decode(login.partition(" ")[2] + "==").decode(errors="replace")
            if "Basic" in login
            else ""
        )
        text = f"cannot serve {self.path} with {login or 'no login'} ({plain})"
        body = json.dumps({"error": text}).encode()
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(401 if "refuse" in self.path else 500, text.replace("\n", " "))
        self.send_header("WWW-Authenticate", 'Basic realm="camera"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 # http.server calls it

    def log_message(self, *_: Any) -> None:
        """Write nothing."""
