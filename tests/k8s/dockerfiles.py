"""Reads the Dockerfiles and .dockerignore as Docker does."""

import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tests.parts import ROOT


@dataclass(frozen=True, slots=True)
class Line:
    """An instruction of a Dockerfile: its name, and the rest with its lines joined."""

    name: str
    value: str

    @property
    def words(self) -> list[str]:
        """The words of a COPY without its options."""
        return [word for word in self.value.split() if not word.startswith("--")]

    @property
    def command(self) -> list[str]:
        """The words of a command in exec form; raises ValueError for shell form."""
        words: list[str] = json.loads(self.value[self.value.find("[") :])
        return words


def text(folder: str) -> str:
    """Return a Dockerfile's text."""
    return (ROOT / folder / "Dockerfile").read_text()


def lines(folder: str) -> list[Line]:
    """Return a Dockerfile's instructions."""
    kept = [line for line in text(folder).splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(kept))
    return [Line(*line.split(maxsplit=1)) for line in joined.splitlines()]


def stages(folder: str) -> list[list[Line]]:
    """Return a Dockerfile's instructions by stage, each from its FROM on; the last stage is the image."""
    found: list[list[Line]] = []
    for line in lines(folder):
        if line.name == "FROM":
            found.append([])
        found[-1].append(line)
    return found


@functools.cache
def _patterns() -> list[tuple[re.Pattern[str], bool]]:
    rules = [line.strip() for line in (ROOT / ".dockerignore").read_text().splitlines()]
    rules = [rule for rule in rules if rule and not rule.startswith("#")]
    return [(_pattern(rule.removeprefix("!")), rule.startswith("!")) for rule in rules]


def _pattern(rule: str) -> re.Pattern[str]:
    signs = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", rule.rstrip("/"))
    return re.compile("".join(signs.get(part) or re.escape(part) for part in parts))


def enters(path: str) -> bool:
    """Whether a file is in the build context: the last rule that matches it or a folder above it decides."""
    above = [str(folder) for folder in PurePosixPath(path).parents][:-1]
    entered = True
    for pattern, lets_in in _patterns():
        if any(pattern.fullmatch(each) for each in (path, *above)):
            entered = lets_in
    return entered


def files(source: str) -> list[str]:
    """Return the files that a source of a COPY names, whether they are in the build context or not."""
    found: list[Path] = []
    for path in ROOT.glob(source):
        found += path.rglob("*") if path.is_dir() else [path]
    return [path.relative_to(ROOT).as_posix() for path in found if path.is_file()]
