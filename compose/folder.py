"""The folder that outlives a run: with the embedded broker's records, and the key to the cameras' links."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from compose.errors import OptionsError
from pipeline.cameras import new_key, seal
from pipeline.service import state
from pipeline.service.trim import trimmed

KEY: Final = "cameras.key"
"""The file with the key."""


def choose(variables: Mapping[str, str]) -> tuple[Path, str]:
    """Return the folder, and in one line what is wrong with the one that should be used, or nothing.

    It is `STATEFOLDER`, if that is set; otherwise one of this user's that survives a restart of the machine.
    Raises `OptionsError` if the former names the home of nobody.
    """
    if given := trimmed(variables.get("STATEFOLDER", "")):
        try:
            return state.expanded(Path(given)), ""
        except ValueError as error:
            raise OptionsError(f"STATEFOLDER={given!r}: {error}") from None
    folder = Path(trimmed(variables.get("XDG_STATE_HOME", "")) or "~/.local/state") / "streamlens"
    try:
        folder = state.expanded(folder)
        state.prepare(folder)
        if not os.access(folder, os.W_OK):
            raise PermissionError(0, "it cannot be written")
    except (OSError, ValueError) as error:  # the latter without a home
        reason = getattr(error, "strerror", None) or str(error)
        there = state.default()
        return there, (
            f"{folder} cannot be used ({reason}): cameras are kept in {there}, which a restart of the machine"
            " may empty; set STATEFOLDER"
        )
    return folder, ""


def key(folder: Path, variables: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """Return the settings with the key to the cameras' links, and in one line what is wrong, or nothing.

    A key is written to the folder, unless it is there, or the user has one.
    """
    if any(trimmed(variables.get(name, "")) for name in ("CAMERASKEY", "CAMERASKEYFILE")):
        return {}, ""
    file = folder / KEY
    try:
        state.prepare(folder)
        is_new = new_key.provide(file)
    except OSError as error:
        return {"CAMERASKEY": seal.new_key()}, (
            f"STATEFOLDER='{folder}' cannot be used ({error.strerror}): the key to the cameras' links lasts"
            " only for this run; set it to a folder that this user may write to"
        )
    missing = (
        f"{file} was missing, so links of kept cameras do not decrypt: put the file back, or set the links"
        " again"
    )
    return {"CAMERASKEYFILE": str(file)}, missing if is_new and _holds_sealed_links(folder) else ""


def _holds_sealed_links(folder: Path) -> bool:
    try:
        return seal.START in (folder / "cameras.json").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
