"""A camera's RTSP server, scripted (RFC 2326)."""

import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self

from pipeline.service.values import Address

VIDEO = (
    b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\n"
    b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:trackID=0\r\n"
)
SOUND = VIDEO.replace(b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000", b"m=audio 0 RTP/AVP 0")

Answer = tuple[int, str, bytes] | None
"""A status, further headers, and a body; or None to hang up."""

OPTIONS: Answer = (200, "Public: OPTIONS, DESCRIBE, SETUP, PLAY\r\n", b"")
SETUP: Answer = (200, "Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n", b"")
PLAY: Answer = (200, "Session: 1\r\n", b"")


def described(sdp: bytes) -> Answer:
    return 200, "Content-Type: application/sdp\r\n", sdp


class Server:
    """Answers each method with what it has for it, until the block ends."""

    def __init__(self, address: str = "127.0.0.1", /, **answers: Answer) -> None:
        self._answers: Mapping[str, Answer] = {
            "OPTIONS": OPTIONS,
            "DESCRIBE": described(VIDEO),
            "SETUP": SETUP,
            "PLAY": PLAY,
            **answers,
        }
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listener = socket.create_server((address, 0), family=family)
        self.requests: list[str] = []
        self.heads = ""

    @property
    def host(self) -> str:
        """Its host and port."""
        return str(Address(*self._listener.getsockname()[:2]))

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, trace: TracebackType | None) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, client.makefile("rb") as lines, suppress(OSError):
            while request := b"".join(
                iter(lambda: lines.readline().removesuffix(b"\r\n") + b"\n", b"\n")
            ).decode():
                method, address, *_ = request.split()
                self.requests.append(f"{method} {address}")
                self.heads += request
                answer = self._answers.get(method, (200, "", b""))
                if answer is None:
                    return
                status, headers, body = answer
                number = next(line for line in request.split("\n") if line.lower().startswith("cseq"))
                head = f"RTSP/1.0 {status} X\r\n{number}\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
                client.sendall(head.encode() + body)
