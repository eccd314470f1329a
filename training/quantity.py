"""Numbers of bytes as Kubernetes writes them."""

import re
from typing import Final

_UNITS: Final = {
    "": 1,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}
_QUANTITY: Final = re.compile(r"(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti|k|M|G|T|)", re.ASCII)


def amount(quantity: str) -> int:
    """Return the bytes in a quantity such as `4Gi`; raise ValueError for other text."""
    found = _QUANTITY.fullmatch(quantity)
    if found is None:
        raise ValueError(f"expected a number of bytes such as 4Gi, found {quantity!r}")
    return int(float(found[1]) * _UNITS[found[2]])
