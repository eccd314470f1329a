"""What compose does on the network itself: find free ports, knock at doors, ask parts how they are."""

import json
import socket
import time
from contextlib import ExitStack
from typing import Final

from compose.errors import OptionsError

_LOCAL: Final = "127.0.0.1"
_KNOCKING: Final = 3.0  # s, for all addresses of one thing
_CONNECTING: Final = 0.2  # s; on this machine it takes none
_ANSWERING: Final = 2.0  # s


def free_ports(count: int) -> list[int]:
    """Return numbers of ports that nobody listens on, all different."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((_LOCAL, 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def check_port(port: int) -> None:
    """Raise `OptionsError` when the video server could not listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
            probe.listen()
        except PermissionError:
            raise OptionsError(
                f"port {port} may not be used: choose another with --port, from 1024 on"
            ) from None
        except OSError:
            raise OptionsError(
                f"port {port} is taken: stop what listens there or choose another with --port"
            ) from None


def check_reachable(option: str, addresses: list[tuple[str, int]]) -> None:
    """Raise `OptionsError`, naming the option, when nobody listens at any of the addresses."""
    reasons = []
    for host, port in addresses:
        try:
            socket.create_connection((host, port), timeout=_KNOCKING / len(addresses)).close()
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            reasons.append(f"{host}:{port} does not answer ({reason})")
        else:
            return
    raise OptionsError(f"{option}: {', '.join(reasons)}")


class Probe:
    """One question over HTTP to a part on this machine; its answer is collected without waiting for it.

    Raises OSError when nobody listens.
    """

    def __init__(self, port: int, path: str) -> None:
        self._until = time.monotonic() + _ANSWERING
        self._received = b""
        self._socket = socket.create_connection((_LOCAL, port), timeout=_CONNECTING)
        try:
            # In HTTP/1.0 the end of the connection is the end of the answer.
            self._socket.sendall(f"GET {path} HTTP/1.0\r\nHost: {_LOCAL}\r\n\r\n".encode())
            self._socket.setblocking(False)
        except OSError:
            self.close()
            raise

    def fileno(self) -> int:
        """Return the socket's number, to wait for the answer."""
        return self._socket.fileno()

    def answer(self) -> tuple[int, str] | None:
        """Return status and body, or None while they have not come; raise OSError when they never will."""
        try:
            while piece := self._socket.recv(65_536):
                self._received += piece
        except BlockingIOError:
            if time.monotonic() < self._until:
                return None
            raise TimeoutError("no answer") from None
        head, _, body = self._received.partition(b"\r\n\r\n")
        words = head.split(maxsplit=2)
        if len(words) < 2 or not words[1].isdigit():
            raise ConnectionError("no HTTP")
        return int(words[1]), body.decode(errors="replace")

    def close(self) -> None:
        """Let go of the connection."""
        self._socket.close()


def trouble_of_service(status: int, body: str) -> str | None:
    """Return the reason that a service's /readyz gives for not being ready, or None when it is."""
    return None if status == 200 else " ".join(body.split()) or f"answers with {status}"


def trouble_of_model(status: int, body: str) -> str | None:
    """Return what a model's status at a model server says against it, or None when a version is served."""
    try:
        versions = json.loads(body)["model_version_status"]
        states = [str(version["state"]) for version in versions]
    except (ValueError, KeyError, TypeError):
        return f"answers with {status}"
    return None if "AVAILABLE" in states else f"the model is {' and '.join(states) or 'not there'}"
