"""A fake model and a fake clock, for tests where only versions and states matter."""

from pathlib import Path

from tfserving.server.errors import Code, ServingError
from tfserving.server.graph.saved import SavedModel


class FakeModel(SavedModel):
    """A model that only records whether it was closed; a folder with a file named broken fails to load."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.closed = False
        if (folder / "broken").exists():
            raise ServingError(Code.DATA_LOSS, "broken")

    def close(self) -> None:
        self.closed = True


class Clock:
    """A clock that only moves when it is set."""

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
