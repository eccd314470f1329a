"""The samples on the disk, where the restricted process maps them, and a restarted job finds them."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from training.control.message import ControlMessage, compose, parse
from training.data.samples import Samples, Split

_DONE = "samples.json"


class Kept:
    """What one job keeps in its folder: the model, the samples, and what the process writes in `work`."""

    def __init__(self, folder: Path, identity: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.work = folder / "work"
        self.model = self.data / "model.h5"
        self._identity = identity

    def prepare(self) -> None:
        """Make the folders. Raises OSError."""
        for folder in (self.data, self.work):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def clear(self) -> None:
        """Delete what another job, or one that has not read everything, has left. Raises OSError."""
        self.remove()
        self.prepare()

    def save(self, message: ControlMessage, split: Split, samples: Samples) -> dict[str, int]:
        """Write the samples, which `split` has ordered; return how many each part has. Raises OSError."""
        sizes = {name: len(getattr(split, name)) for name in ("training", "test", "validation")}
        np.save(self.data / "features.npy", samples.features)
        np.save(self.data / "labels.npy", _labels(samples))
        key, value = compose(message)
        kept = {"job": self._identity, "sizes": sizes, "key": key.hex(), "value": value.decode()}
        part = self.data / f"{_DONE}.part"
        part.write_text(json.dumps(kept))
        part.replace(self.data / _DONE)
        return sizes

    def load(self) -> tuple[ControlMessage, dict[str, int]] | None:
        """Return what an earlier run of this job has saved, if it has."""
        try:
            kept = json.loads((self.data / _DONE).read_text())
            message = parse(bytes.fromhex(kept["key"]), kept["value"].encode())
            sizes = {name: int(kept["sizes"][name]) for name in ("training", "test", "validation")}
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return (message, sizes) if kept["job"] == self._identity and self.model.exists() else None

    def remove(self) -> None:
        """Delete everything."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _labels(samples: Samples) -> np.ndarray[Any, Any]:
    if samples.labels is None:
        raise ValueError("the messages have no labels")
    return samples.labels
