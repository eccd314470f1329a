"""What a worker keeps on its disk about one training, so that it does nothing twice after a restart."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from training.data.samples import Samples, Split
from training.federated.messages import Metrics
from training.federated.weights import Described, described

_PARTS: Final = ("training", "test", "validation")


@dataclass(frozen=True, slots=True)
class Trained:
    """What a round has given: `version` is that of the answer. The bytes are in the file `update`."""

    version: int
    weights: Described
    training: Metrics
    validation: Metrics


class Held:
    """A training's folder: samples, the model and weights in `data`; the process writes in `work`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.work = folder / "work"
        self.model = self.data / "model.h5"
        self.weights = self.data / "weights.bin"
        self.update = folder / "update.bin"

    def prepare(self) -> None:
        """Make the folders. Raises OSError."""
        for folder in (self.data, self.work):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def save(self, split: Split, samples: Samples) -> dict[str, int]:
        """Write the samples, which `split` has ordered; return how many each part has. Raises OSError."""
        if samples.labels is None:
            raise ValueError("the messages have no labels")
        self.prepare()
        np.save(self.data / "features.npy", samples.features)
        np.save(self.data / "labels.npy", samples.labels)
        sizes = {name: len(getattr(split, name)) for name in _PARTS}
        _write(self.folder / "sizes.json", sizes)
        return sizes

    def sizes(self) -> dict[str, int] | None:
        """Return how many samples each part has, if they have been saved."""
        found = _read(self.folder / "sizes.json")
        return None if found is None else {name: int(found[name]) for name in _PARTS}

    @property
    def answered(self) -> int:
        """The newest version that was answered, 0 if none was."""
        found = _read(self.folder / "answered.json")
        return 0 if found is None else int(found["version"])

    def keep(self, trained: Trained) -> None:
        """Note what a round has given, before it is sent."""
        fields = {
            "version": trained.version,
            "weights": trained.weights.composed(),
            "training": trained.training,
            "validation": trained.validation,
        }
        _write(self.folder / "update.json", fields)

    def unsent(self) -> Trained | None:
        """Return what a round has given, and was not sent, or perhaps not."""
        found = _read(self.folder / "update.json")
        if found is None or found["version"] <= self.answered or not self.update.exists():
            return None
        return Trained(found["version"], described(found["weights"]), found["training"], found["validation"])

    def note_answered(self, version: int) -> None:
        """Note that a round was answered."""
        _write(self.folder / "answered.json", {"version": version})

    @property
    def is_over(self) -> bool:
        """Whether the training is over."""
        return (self.folder / "over").exists()

    def end(self) -> None:
        """Remove everything except that the training is over."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / "over").touch()


def _write(file: Path, fields: dict[str, Any]) -> None:
    part = file.with_suffix(".part")
    part.write_text(json.dumps(fields))
    part.replace(file)


def _read(file: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
