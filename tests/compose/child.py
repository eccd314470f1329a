"""A part for tests: `child.py KIND PORT FILE` answers like a service; KIND decides how it behaves."""

import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

KIND, PORT, FILE = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
MODEL = b'{"model_version_status": [{"version": "1", "state": "%s"}]}'


def is_ready() -> bool:
    return FILE.exists() if KIND == "late" else KIND != "unready"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/readyz":
            status, body = (200, b"ok\n") if is_ready() else (503, b"no picture yet\n")
        else:
            status, body = 200, MODEL % (b"AVAILABLE" if is_ready() else b"LOADING")
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    allow_reuse_port = True  # the test holds the port


def main() -> int:
    # For the test: that it has started, and the broker that it was given.
    with FILE.with_suffix(".starts").open("a") as starts:
        starts.write(f"{os.getpid()} {os.environ.get('KAFKAPORT', '-')}\n")
    print("out of", KIND, flush=True)
    print("err of", KIND, file=sys.stderr, flush=True)
    if KIND == "broker":
        print(f"KAFKA_BOOTSTRAP=127.0.0.1:{os.getpid()}", flush=True)
    if KIND == "once" and not FILE.exists():
        FILE.touch()
        print("the first time fails", flush=True)
        return 3
    if KIND.isdigit():
        print("cannot go on", flush=True)
        return int(KIND)
    with Server(("127.0.0.1", PORT), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        stopped: list[int] = []
        signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
        while not stopped or KIND == "stubborn":
            time.sleep(0.02)
        server.shutdown()
    print("goodbye of", KIND, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
