"""Ports and addresses, checked before anything is started."""

import socket
from contextlib import ExitStack
from typing import Final

from compose.errors import OptionsError
from pipeline.service.listening import listen
from pipeline.service.values import Address

_CONNECTING: Final = 3.0  # s, for all addresses of one option


def free_ports(count: int) -> list[int]:
    """Return different ports that nothing listens on."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def check_port(port: int, option: str = "--port", otherwise: str = "") -> None:
    """Raise `OptionsError` if a service could not listen on the port that an option names.

    The error also says what to do `otherwise`.
    """
    rest = f", or {otherwise}" if otherwise else ""
    try:
        listen(Address("", port)).close()
    except PermissionError:
        raise OptionsError(
            f"port {port} needs the rights of root: choose another with {option}, from 1024 up{rest}"
        ) from None
    except OSError:
        raise OptionsError(
            f"port {port} is taken: stop what listens there or choose another with {option}{rest}"
        ) from None


def check_reachable(option: str, addresses: list[Address]) -> None:
    """Raise `OptionsError`, naming the option, if nothing listens at any of the addresses."""
    reasons = []
    for address in addresses:
        try:
            socket.create_connection(address, timeout=_CONNECTING / len(addresses)).close()
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            reasons.append(f"{address} does not answer ({reason})")
        else:
            return
    raise OptionsError(f"{option}: {', '.join(reasons)}")
