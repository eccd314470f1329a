"""The Dockerfiles, read as Docker reads them."""

import re
from dataclasses import dataclass

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


def text(folder: str) -> str:
    """Return the text of the Dockerfile in a folder, or of one with its own name, `a/b.Dockerfile`."""
    path = ROOT / folder
    return (path if path.suffix else path / "Dockerfile").read_text()


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
