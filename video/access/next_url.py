"""Where a login leads back to: an address of this server, never of another."""

import re
from typing import Final

# One slash first: browsers take two, of either kind, for another host. They skip tabs and line feeds, and
# they take \ for /. What is not ASCII comes quoted.
_LOCAL: Final = re.compile(r"/(?![/\\])[!-\[\]-~]*")
_LONGEST: Final = 2048


def fit(address: str, root: str) -> bool:
    """Tell whether an address is a path on this server below the root path, with or without a query."""
    return (
        len(address) <= _LONGEST
        and address.startswith(f"{root}/")
        and _LOCAL.fullmatch(address) is not None
        and address.partition("?")[0] not in {f"{root}/login", f"{root}/logout"}
    )


def back_to(address: str, root: str) -> str:
    """Return the address when it fits, else the page's."""
    return address if fit(address, root) else f"{root}/"
