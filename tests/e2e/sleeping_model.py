"""A model server that sleeps instead of computing: a scaled one needs no processors.

It speaks as much of TensorFlow Serving's REST API as a consumer needs, and answers one request at a time.
It imports nothing but the standard library, because it runs alone in a container.
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECONDS_PER_FRAME = 0.17

_STATUS = {"model_version_status": [{"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK"}}]}
_TENCH = {"classes": 1, "probabilities": [0.0, 1.0] + [0.0] * 999}
_one_at_a_time = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    """Answers one connection's requests."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Report that the model is available."""
        self._answer(_STATUS)

    def do_POST(self) -> None:
        """Label every picture in the same way, after a while."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        count = len(asked["instances"])
        with _one_at_a_time:
            time.sleep(SECONDS_PER_FRAME * count)
        self._answer({"predictions": [_TENCH] * count})

    def _answer(self, answer: object) -> None:
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("", int(sys.argv[1])), Handler).serve_forever()
