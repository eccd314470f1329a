"""A synthetic proxy in front of a web server: it changes what a test asks it to."""

import socket
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

_END: Final = b"\r\n\r\n"


@contextmanager
def proxy(port: int, *, strips: str = "", sends: Mapping[str, str | None] | None = None) -> Iterator[str]:
    """Pass on requests to a port, and yield the proxy's address, `host:port`.

    It strips a path, and sends these headers in place of the client's: None for not at all; `{host}` is the
    client's Host.
    """

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 20) as server:
                server.settimeout(None)
                server.sendall(_changed(_head(self.request), strips, sends or {}))
                answering = threading.Thread(target=_pass, args=(server, self.request))
                answering.start()
                _pass(self.request, server)
                answering.join()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def _head(client: socket.socket) -> bytes:
    head = b""
    while not head.endswith(_END) and (byte := client.recv(1)):
        head += byte
    return head


def _changed(head: bytes, strips: str, sends: Mapping[str, str | None]) -> bytes:
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    host = headers["Host"]
    if headers.get("Connection") != "Upgrade":
        headers["Connection"] = "close"  # so that each request has its own connection
    for name, value in sends.items():
        headers.pop(name, None)
        if value is not None:
            headers[name] = value.format(host=host)
    changed = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{first.replace(f' {strips}/', ' /', 1)}\r\n{changed}\r\n".encode("latin-1")


def _pass(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
