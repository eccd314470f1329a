"""Addresses that nobody but the operator may name, and the forms in which one can be written."""

from ipaddress import ip_address
from typing import Final

REFUSED: Final = (
    *("0.1.2.3", "127.0.0.1", "169.254.3.4", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
    *("::1", "fe80::1", "ff02::1"),
)
FORMS: Final = ("{}", "::ffff:{}", "::{}", "64:ff9b::{}", "64:ff9b:1::{}", "2002:{high:x}:{low:x}::1")
"""An IPv4 address, and IPv6 addresses that lead to it."""


def embedded(form: str, address: str) -> str:
    """Return an IPv4 address in one of the forms."""
    packed = ip_address(address).packed
    return form.format(address, high=int.from_bytes(packed[:2]), low=int.from_bytes(packed[2:4]))
