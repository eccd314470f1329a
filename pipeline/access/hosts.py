"""The names under which a page that is open to everyone answers: `ALLOWEDHOSTS`.

A page of another site can make its own name lead to our address (DNS rebinding). For the browser, that page
and ours are then on the same site, and it may read everything. Addresses are safe: nobody can redirect them.
So are names below domains that nobody can own on the internet.
"""

import ipaddress
import re
import socket
from collections.abc import Sequence
from typing import Final

_HOST: Final = re.compile(r"(?:\[([0-9a-f:.]+)\]|([\w.-]+))(?::\d*)?", re.ASCII)
_NAME: Final = re.compile(r"(\*\.)?[\w-]+(\.[\w-]+)*", re.ASCII)
# RFC 8375, and ICANN's resolution 2024.07.29.06.
_PRIVATE: Final = (".home.arpa", ".internal")
_LONGEST: Final = 100  # characters of a host in a message
# The names of the services in our manifests. Those of two parts, such as `video-service.com`, may be public.
_SERVICE: Final = re.compile(
    r"video|training|(video(-sockets)?|training)-service(\.[\w-]+\.svc(\.cluster\.local)?)?", re.ASCII
)


class Hosts:
    """The allowed names: addresses, localhost, private domains, this machine's own names, and `others`.

    `*.cams.example` stands for all names that end with `.cams.example`.
    """

    def __init__(self, others: Sequence[str]) -> None:
        machine = socket.gethostname().lower().removesuffix(".")
        short = machine.partition(".")[0]
        self._names = {"localhost", machine, short, f"{short}.local", f"{short}.lan"} | set(others)
        self._endings = (".localhost", *_PRIVATE, *(name[1:] for name in others if name.startswith("*.")))

    def allow(self, hosts: Sequence[str]) -> bool:
        """Return whether a request with these Host headers may be answered.

        HTTP/1.0 has none; browsers always send one.
        """
        return not hosts or (len(hosts) == 1 and self._allow(hosts[0].lower()))

    def _allow(self, host: str) -> bool:
        found = _HOST.fullmatch(host)
        if found is None:
            return False
        name = found[2].removesuffix(".") if found[2] else found[1]
        return (
            name in self._names
            or name.endswith(self._endings)
            or _SERVICE.fullmatch(name) is not None
            or _is_address(name)
        )


def explain(hosts: Sequence[str]) -> str:
    """Return why a host is refused, and what helps."""
    host = ", ".join(hosts)[:_LONGEST]
    found = _HOST.fullmatch(host.lower())
    name = (found[1] or found[2]) if found and len(hosts) == 1 else "NAME"
    return (
        f"{host!r} is not a known name of this server: open the page by its IP address, or set"
        f" ALLOWEDHOSTS={name}"
    )


def parse_hosts(text: object) -> object:
    """Return comma-separated names in lower case; raise ValueError for anything else."""
    if not isinstance(text, str):
        return text
    names = [name.strip().lower().removesuffix(".") for name in text.split(",") if name.strip()]
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"expected names such as cams.example or *.cams.example, found {name!r}")
    return tuple(names)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
