"""A stand-in for TensorFlow Serving with one model, which adds up the numbers of each row."""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

_SIGNATURE = {
    "inputs": {"x": {"dtype": "DT_FLOAT", "tensor_shape": {"dim": [{"size": "-1"}, {"size": "2"}]}}},
    "outputs": {"y": {"dtype": "DT_FLOAT", "tensor_shape": {"dim": [{"size": "-1"}, {"size": "1"}]}}},
}
_METADATA = {"metadata": {"signature_def": {"signature_def": {"serving_default": _SIGNATURE}}}}
_STATUS = {"model_version_status": [{"version": "1", "state": "AVAILABLE"}]}


class FakeServing:
    """Answers requests, each after `delay` s; `sizes` has the sizes of the batches."""

    def __init__(self, delay: float = 0) -> None:
        self.sizes = list[int]()
        self.delay = delay
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer(_METADATA if self.path.endswith("/metadata") else _STATUS)

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                rows = [each["x"] if isinstance(each, dict) else each for each in asked["instances"]]
                time.sleep(fake.delay)
                fake.sizes.append(len(rows))
                self._answer({"predictions": [[sum(row)] for row in rows]})

            def _answer(self, content: Any) -> None:
                text = json.dumps(content).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1/models/sums:predict"
        self._thread: Callable[[], None] = threading.Thread(
            target=self._server.serve_forever, args=(0.05,)
        ).start

    def __enter__(self) -> Self:
        self._thread()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
