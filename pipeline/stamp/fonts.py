"""Fonts for every script: one ships with us, the others are the system's.

A text is split into runs that one font can draw. Pillow shapes each run: ligatures, combining marks, and the
direction of Arabic and Hebrew.
"""

import logging
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from PIL import ImageFont
from PIL.ImageFont import FreeTypeFont

from pipeline.service.logs import Seldom

_log = logging.getLogger(__name__)
_seldom = Seldom(_log)

OWN: Final = Path(__file__).with_name("fonts") / "NotoSans-Bold.ttf"
"""Noto Sans Bold, with its Latin, Greek and Cyrillic letters."""

CAPITAL: Final = 0.714
"""The height of its capital letters, relative to the font's size."""

_HELP: Final = "install one for them, such as Debian's fonts-noto-core, or fonts-noto-cjk"
_FOLDERS: Final = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
    "C:/Windows/Fonts",
)
_KINDS: Final = {".ttf", ".otf", ".ttc"}
_UNFIT: Final = ("italic", "oblique", "mono", "emoji", "condensed", "light", "thin", "symbols", "display")
_PROBE: Final = 24  # pixels; the size at which fonts are searched for letters
_NO_LETTER: Final = "\U0010fffe"  # a code point without a character, for which fonts have a box
_RIGHT_TO_LEFT: Final = ("R", "AL")
_STAYS: Final = ("Mn", "Me", "Mc", "Cf", "Zs")  # categories of what belongs to the letter before it


@lru_cache(maxsize=64)
def font(path: Path, size: float) -> FreeTypeFont:
    """Return a font at a size in pixels."""
    return ImageFont.truetype(str(path), size)


@lru_cache(maxsize=512)
def runs(text: str) -> tuple[tuple[Path, str], ...]:
    """Return the parts of a text and their fonts, from left to right.

    Letters that no font has are left out.
    """
    found: list[tuple[Path, str]] = []
    path: Path | None = None
    for letter in text:
        stays = unicodedata.category(letter) in _STAYS
        if not stays:
            path = _font_of(letter, found[-1][0] if found else OWN)
        if path is None and letter.isspace() and found:
            path = found[-1][0]
        if path is None:  # no font has the letter, so its marks are left out, too
            continue
        if found and found[-1][0] == path:
            found[-1] = path, found[-1][1] + letter
        else:
            found.append((path, letter))
    if _reads_to_the_left(text):
        return tuple(reversed(found))
    return tuple(_with_spaces_after(found))


def _with_spaces_after(found: Sequence[tuple[Path, str]]) -> Iterator[tuple[Path, str]]:
    """Move the space at the end of an Arabic or Hebrew run, which is its left end, to the next run."""
    space = ""
    for path, part in found:
        kept = part.rstrip() if _reads_to_the_left(part) else part
        yield path, space + kept
        space = part[len(kept) :]


def _reads_to_the_left(text: str) -> bool:
    directions = (unicodedata.bidirectional(letter) for letter in text)
    return next((each for each in directions if each in ("L", *_RIGHT_TO_LEFT)), "L") in _RIGHT_TO_LEFT


def _font_of(letter: str, current: Path) -> Path | None:
    """Return the font for a letter; the current one wherever that has it."""
    return current if _has(current, letter) else _search(letter)


@lru_cache(maxsize=4096)
def _search(letter: str) -> Path | None:
    found = next((path for path in _fonts() if _has(path, letter)), None)
    if found is None and letter.isalpha():
        script = unicodedata.name(letter, "unknown").partition(" ")[0].capitalize()
        _seldom.warning(
            script, f"{script} letters are left out of labels, because no font has {letter!r}: {_HELP}"
        )
    return found


@lru_cache(maxsize=16_384)
def _has(path: Path, letter: str) -> bool:
    probe = font(path, _PROBE)
    try:
        box = _drawn(probe, _NO_LETTER)
        return _drawn(probe, letter) != box
    except (OSError, ValueError):  # a damaged font
        return False


def _drawn(probe: FreeTypeFont, letter: str) -> tuple[tuple[int, int], bytes]:
    mask = probe.getmask(letter)
    return mask.size, bytes(mask)


@lru_cache(maxsize=1)
def _fonts() -> tuple[Path, ...]:
    """Return our own font, then the system's that can be opened, the most suitable first."""
    paths = {
        path
        for folder in _FOLDERS
        for path in Path(folder).expanduser().rglob("*")
        if path.suffix.lower() in _KINDS and not any(word in path.stem.lower() for word in _UNFIT)
    }
    return OWN, *filter(_opens, sorted(paths, key=_rank))


def _opens(path: Path) -> bool:
    try:
        ImageFont.truetype(str(path), _PROBE)
    except OSError:
        return False
    return True


def _rank(path: Path) -> tuple[bool, bool, bool, str]:
    """Return a sort key: Noto Sans first, bold before regular, serifs last."""
    name = path.stem.lower()
    return "serif" in name, not name.startswith("notosans"), "bold" not in name, name


def widths(text: str, size: float) -> Iterator[tuple[FreeTypeFont, str, float]]:
    """Yield the runs of a text with their fonts at a size, and their widths in pixels."""
    for path, part in runs(text):
        used = font(path, size)
        yield used, part, used.getlength(part)
