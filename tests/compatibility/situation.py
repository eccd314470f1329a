"""A situation: a synthetic camera, server or client, and what is expected."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

SIZE: Final = (64, 48)
"""Width and height of the cameras' pictures, in pixels."""

LEVELS: Final = (20, 90, 160, 230)
"""The grey levels of these pictures, in turn."""

Start = Callable[[Path], AbstractContextManager[str]]
"""Starts a camera, given an empty folder for its files, and returns its link."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The camera's pictures are published: of this size, with these grey levels in turn."""

    how: str = "shown"
    """What the user sees, for the table."""

    size: tuple[int, int] = SIZE
    levels: tuple[int, ...] = LEVELS
    count: int = 4
    """So many pictures are waited for."""

    dropped: str = ""
    """The reason for which other frames are counted as dropped, if any are."""


@dataclass(frozen=True, slots=True)
class Refused:
    """There are no pictures, and this line says why: in the log, in `/readyz` and on the page."""

    reason: str


@dataclass(frozen=True, slots=True)
class Situation:
    """What a camera does, in the table's words."""

    what: str
    start: Start
    then: Shown | Refused
    settings: dict[str, str] = field(default_factory=dict)
    part: str = ""
    """What the test needs beyond Python, such as `rtsp`, or several of these separated by spaces."""


@dataclass(frozen=True, slots=True)
class Check:
    """A situation without a camera: `see` does what a user would, and returns what happens."""

    what: str
    see: Callable[[Path], str]
    happens: str
    """What happens, in the table's words."""

    part: str = ""
    """What the test needs beyond Python: the name of its fixture."""
