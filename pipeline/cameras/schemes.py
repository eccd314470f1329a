"""Which links of cameras may be opened: `LINKSCHEMES`."""

from collections.abc import Collection
from typing import Annotated, Final

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

from pipeline.cameras.links import DEVICE, SCHEMES, LinkError, scheme_of

ON_NETWORKS: Final = frozenset(SCHEMES) - {"file", "unix"}
"""The schemes of cameras on networks: not those of files and sockets of this machine."""


def _parse(text: object) -> object:
    if not isinstance(text, str):
        return text
    schemes = frozenset(part.strip().lower() for part in text.split(",") if part.strip())
    if unknown := sorted(schemes - {*SCHEMES, DEVICE}):
        known = ", ".join((*SCHEMES, DEVICE))
        raise ValueError(f"expected schemes separated by commas, found {unknown[0][:40]}: there are {known}")
    return schemes


Schemes = Annotated[frozenset[str], NoDecode, BeforeValidator(_parse)]
"""Schemes of links, and `file` and `device`, given as `rtsp,http`."""


def check_scheme(link: str, schemes: Collection[str]) -> None:
    """Raise `LinkError` unless a link has one of these schemes."""
    if (scheme := scheme_of(link)) not in schemes:
        raise LinkError(
            f"links with {scheme} are not allowed here: use {', '.join(sorted(schemes))}, or add {scheme} to"
            " LINKSCHEMES"
        )
