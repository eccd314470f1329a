"""The parameter `next=` of a login: an address of this server, never of another."""

import re
from typing import Final

# Exactly one slash first: browsers read two, of either kind, as the start of another host. They also skip
# tabs and line feeds, and read \ as /. Characters outside ASCII arrive percent-encoded.
_LOCAL: Final = re.compile(r"/(?![/\\])[!-\[\]-~]*")
_LONGEST: Final = 2048


def is_local(address: str, root: str) -> bool:
    """Return whether an address is a path on this server below the root path, with or without a query."""
    return (
        len(address) <= _LONGEST
        and address.startswith(f"{root}/")
        and _LOCAL.fullmatch(address) is not None
        and address.partition("?")[0] not in {f"{root}/login", f"{root}/logout"}
    )


def back_to(address: str, root: str) -> str:
    """Return the address if it is on this server, otherwise the page's."""
    return address if is_local(address, root) else f"{root}/"
