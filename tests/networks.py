"""Networks of their own for processes that a test starts: network namespaces of Linux. It takes root."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import pytest

MANY_ADDRESSES: Final = pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere, a machine has only 127.0.0.1, and not 127.0.0.2"
)
"""For tests that use other addresses of loopback."""


class NetworkError(Exception):
    """This machine cannot make such a network."""


@dataclass(frozen=True, slots=True)
class Network:
    """A network, by its name, and how the test's own process and those on this network reach each other."""

    name: str
    here: str = ""
    """The address of the test's process."""
    there: str = ""
    """The address of processes on the network."""

    def command(self, *command: str) -> list[str]:
        """Return what runs a command on this network; the process becomes that of the command."""
        return ["ip", "netns", "exec", self.name, *command] if self.name else list(command)

    def ip(self, *arguments: str) -> None:
        """Run `ip` on this network."""
        _run("ip", "-n", self.name, *arguments)


HERE: Final = Network("", "127.0.0.1", "127.0.0.1")
"""This machine's own network."""


@contextmanager
def alone() -> Iterator[Network]:
    """Make a network with loopback only; raise `NetworkError` if that is impossible."""
    network = Network(f"streamlens{os.getpid()}")
    _run("ip", "netns", "add", network.name)
    try:
        network.ip("link", "set", "lo", "up")
        yield network
    finally:
        _run("ip", "netns", "delete", network.name)


@contextmanager
def with_ipv6_only() -> Iterator[Network]:
    """Make a network with IPv6 only and a cable to this machine; raise `NetworkError` if that is impossible.

    The cable is `eth0` there. Its ends also have link-local addresses: fe80::1 here, and fe80::2 there.
    """
    number, device = os.getpid(), f"cable{os.getpid()}"
    prefix = f"fd5e:{number >> 16:x}:{number & 0xFFFF:x}:"
    with alone() as network:
        network.ip("address", "delete", "127.0.0.1/8", "dev", "lo")
        _run("ip", "link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", network.name)
        try:
            _plug_in(device, f"{prefix}:1", "fe80::1")
            _plug_in("eth0", f"{prefix}:2", "fe80::2", "-n", network.name)
            yield Network(network.name, f"{prefix}:1", f"{prefix}:2")
        finally:
            _run("ip", "link", "delete", device)


def _plug_in(device: str, address: str, local: str, *where: str) -> None:
    # The kernel's own link-local address can be used only after a while.
    _run("ip", *where, "link", "set", device, "addrgenmode", "none")
    for each in (address, local):
        _run("ip", *where, "address", "add", f"{each}/64", "dev", device, "nodad")
    _run("ip", *where, "link", "set", device, "up")


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise NetworkError("there is no command ip") from None
    except subprocess.CalledProcessError as error:
        raise NetworkError(error.stderr.strip()) from None
