"""The versions of a model: which there are on disk, which are wanted, and what state each is in."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from tfserving.server.errors import Code
from tfserving.server.saved import SavedModel

_NUMBER = re.compile(r"[0-9]+")


class State(IntEnum):
    """The states of a version, as clients see them."""

    UNKNOWN = 0
    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of one version; the code and the message tell why it could not be loaded."""

    version: int
    state: State
    code: Code = Code.OK
    message: str = ""


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a version that cannot be loaded is tried again, and after how many seconds."""

    count: int = 5
    interval: float = 60.0


@dataclass(slots=True)
class Version:
    """One version and its state; `users` counts the requests that run on it."""

    number: int
    folder: Path
    state: State = State.START
    model: SavedModel | None = None
    users: int = 0
    attempts: int = 0
    next_attempt: float = 0.0
    code: Code = Code.OK
    message: str = ""


def find(base: Path) -> dict[int, Path]:
    """Return the folders below a base path whose whole name is a version number, by number.

    Raises OSError where the base path cannot be read.
    """
    found: dict[int, Path] = {}
    for child in sorted(base.iterdir(), reverse=True):
        if _NUMBER.fullmatch(child.name) and int(child.name) < 2**63 and child.is_dir():
            found[int(child.name)] = child
    return found


def latest(versions: Iterable[int], count: int = 1) -> set[int]:
    """Return the highest `count` of the versions."""
    return set(sorted(versions, reverse=True)[:count])
