"""A model and a clock that stand in for the real ones where only versions and states count."""

from pathlib import Path

from tfserving.server.errors import Code, ServingError
from tfserving.server.graph.saved import SavedModel


class FakeModel(SavedModel):
    """A model that only remembers whether it was closed; a folder with a file named broken holds none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.closed = False
        if (folder / "broken").exists():
            raise ServingError(Code.DATA_LOSS, "broken")

    def close(self) -> None:
        self.closed = True


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def lay(base: Path, *numbers: int, broken: bool = False) -> Path:
    """Make folders of versions below a base path, and return it."""
    for number in numbers:
        (base / str(number)).mkdir(parents=True)
        if broken:
            (base / str(number) / "broken").touch()
    return base
