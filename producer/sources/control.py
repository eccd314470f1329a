"""The control connection of RTSP over UDP (RFC 2326), on which a camera says where its packets come from.

FFmpeg sends packets to whatever address and as many ports as the answers name. All of them pass through
here, and leave as far as they concern the camera itself.
"""

import os
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from pipeline.targets import with_zone

_ACCEPT: Final = 10.0  # s until FFmpeg, which connects at once, has done so
_LONGEST_LINE: Final = 4096  # bytes
_MOST_LINES: Final = 100
_LARGEST_BODY: Final = 1 << 20  # bytes
_MOST_TRANSPORTS: Final = 16
# Where Linux lists connections, and how it writes the address of loopback there.
_TABLES: Final = {
    socket.AF_INET: ("/proc/self/net/tcp", "0100007F"),
    socket.AF_INET6: ("/proc/self/net/tcp6", "00000000000000000000000001000000"),
}
_STATUS: Final = re.compile(rb"RTSP/1\.[0-9] +([1-9][0-9]{2})\b")
_LENGTH: Final = re.compile(rb"(?i)content-length:\s*([0-9]{1,9})\s*")
_PORTS: Final = re.compile(rb"(?i);\s*server_port\s*=\s*([0-9]{1,5}(?:-[0-9]{1,5})?)")
_PROTOCOL: Final = re.compile(rb"[A-Za-z/]{1,20}")


class ControlError(Exception):
    """What the camera answers is not RTSP, or too much. The text says it in one line."""


class Control:
    """Passes requests from FFmpeg to the camera, and the answers back, until one of them hangs up.

    FFmpeg opens `host`, a port of this machine that accepts one connection, on Linux only from the same user.
    Its last request, which ends the session, reaches the camera, too.
    """

    def __init__(self, camera: socket.socket) -> None:
        self._camera = camera
        local = "::1" if camera.family == socket.AF_INET6 else "127.0.0.1"
        try:
            camera.settimeout(None)  # FFmpeg knows how long to wait
            self._address = with_zone(*camera.getpeername())
            self._listener = socket.create_server((local, 0), family=camera.family)
        except OSError:
            camera.close()
            raise
        port = self._listener.getsockname()[1]
        self.host = f"[{local}]:{port}" if ":" in local else f"{local}:{port}"
        self._player: socket.socket | None = None
        self.trouble: str | None = None
        """Why this has hung up on the camera."""
        threading.Thread(target=self._run, name="control", daemon=True).start()

    def _hang_up(self) -> None:
        for each in (self._camera, self._player):
            if each is not None:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        with suppress(OSError), self._camera:
            with self._listener:
                self._player = self._accepted()
            with self._player, self._camera.makefile("rb") as stream:
                threading.Thread(target=self._pass_requests, name="requests", daemon=True).start()
                try:
                    for message in answers(stream, self._address):
                        self._player.sendall(message)
                except ControlError as error:
                    self.trouble = str(error)
                finally:
                    self._hang_up()

    def _accepted(self) -> socket.socket:
        until = time.monotonic() + _ACCEPT
        while (left := until - time.monotonic()) > 0:
            self._listener.settimeout(left)
            player, (_, port, *_) = self._listener.accept()
            if _is_of_this_user(player, port):
                return player
            player.close()
        raise TimeoutError

    def _pass_requests(self) -> None:
        with suppress(OSError):
            while self._player and (data := self._player.recv(65536)):
                self._camera.sendall(data)
        self._hang_up()


def _is_of_this_user(player: socket.socket, port: int) -> bool:
    """Return whether a connection over loopback, from a port, is this user's (proc_pid_net(5)).

    Where Linux does not say so, it is not. Other systems do not say it in this way.
    """
    if sys.platform != "linux":
        return True
    table, loopback = _TABLES[player.family]
    here = player.getsockname()[1]
    line = rf"{loopback}:{port:04X} {loopback}:{here:04X} \S+ \S+ \S+ \S+ +([0-9]+)"
    with suppress(OSError):
        if found := re.search(line, Path(table).read_text()):
            return int(found[1]) == os.getuid()
    return False


def answers(stream: BinaryIO, address: str) -> Iterator[bytes]:
    """Yield what a camera at an address answers, rewritten as far as it concerns the camera itself.

    Raises `ControlError`. What the camera asks for itself, and data, are left out.
    """
    transports = 0
    while first := stream.read(1):
        if first == b"$":  # interleaved data, which is for TCP
            stream.read(int.from_bytes(stream.read(3)[1:]))
            continue
        head = list(_head(first, stream))
        if not head:  # an empty line between two answers
            continue
        lengths = [match[1] for line in head if (match := _LENGTH.fullmatch(line))]
        length = int(lengths[-1]) if lengths else 0
        if length > _LARGEST_BODY:
            raise ControlError(f"the camera describes its video in more than {_LARGEST_BODY >> 20} MiB")
        body = stream.read(length)
        status = _STATUS.match(head[0])
        if status is None:
            if not head[0].endswith((b"RTSP/1.0", b"RTSP/1.1", b"RTSP/2.0")):
                raise ControlError("what the camera answers is not RTSP")
            continue
        lines = [b"RTSP/1.0 " + status[1] + b" X"]
        for line in head[1:]:
            name = line.partition(b":")[0].strip().lower()
            if name == b"transport":
                transports += 1
                lines.append(_transport(line, address))
            elif name not in (b"content-length", b"location") and not line.startswith(b"$"):
                lines.append(line)
        if transports > _MOST_TRANSPORTS:
            raise ControlError(f"the camera sends more than {_MOST_TRANSPORTS} streams")
        lines.append(b"Content-Length: %d" % len(body))
        yield b"\r\n".join(lines) + b"\r\n\r\n" + body


def _head(first: bytes, stream: BinaryIO) -> Iterator[bytes]:
    """Yield the lines up to an empty one, without what ends them."""
    for _ in range(_MOST_LINES + 1):  # with the empty one
        line = first + stream.readline(_LONGEST_LINE - len(first))
        if not line.endswith(b"\n"):
            raise ControlError(
                f"the camera answers with a line of more than {_LONGEST_LINE} bytes, or hangs up in it"
            )
        # FFmpeg ignores the ends of lines of other systems, wherever they are.
        line = line[:-1].replace(b"\r", b"").replace(b"\0", b"")
        if not line:
            return
        yield line
        first = b""
    raise ControlError(f"the camera answers with more than {_MOST_LINES} lines")


def _transport(line: bytes, address: str) -> bytes:
    """Return the transport that a camera offers, from its own address to a single one (RFC 2326, 12.39)."""
    offer = line.partition(b":")[2].partition(b",")[0].strip()
    protocol = _PROTOCOL.match(offer)
    way = b"multicast" if b"multicast" in offer.lower() else b"unicast"  # FFmpeg refuses the former
    fields = [protocol[0] if protocol else b"", way]
    if ports := _PORTS.search(offer):
        fields.append(b"server_port=" + ports[1])
    return b"Transport: " + b";".join([*fields, b"source=" + address.encode()])
