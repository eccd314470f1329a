"""What a training needs to continue after it was killed: weights, the optimizer's state, and metrics."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np


class Checkpoint:
    """A file that always holds a whole checkpoint. `time` is how long the training had taken, in seconds."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.time = 0.0

    def save(self, model: Any, history: dict[str, list[float]], time: float) -> None:
        """Keep the state after an epoch; if the disk is full, keep the one before, and say so in the log."""
        arrays = {f"weight_{number}": array for number, array in enumerate(model.get_weights())}
        for number, variable in enumerate(model.optimizer.variables):
            arrays[f"optimizer_{number}"] = np.asarray(variable)
        part = self._file.with_suffix(".part.npz")
        try:
            np.savez(part, history=np.array(json.dumps({"history": history, "time": time})), **arrays)
            part.replace(self._file)
        except OSError as error:
            part.unlink(missing_ok=True)
            print(f"no checkpoint of this epoch: {error.strerror or error}", flush=True)

    def restore(self, model: Any) -> dict[str, list[float]]:
        """Load the state into a new model, and return the metrics; nothing if there is no checkpoint."""
        try:
            with self._file.open("rb") as file, np.load(file, allow_pickle=False) as saved:
                found = json.loads(str(saved["history"]))
                model.set_weights(_numbered(saved, "weight"))
                model.optimizer.build(model.trainable_variables)
                for variable, value in zip(
                    model.optimizer.variables, _numbered(saved, "optimizer"), strict=True
                ):
                    variable.assign(value)
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile):  # broken, or of another model
            return {}
        self.time = float(found["time"])
        return {str(name): list(values) for name, values in found["history"].items()}


def _numbered(saved: Any, kind: str) -> list[Any]:
    names = [name for name in saved.files if name.startswith(f"{kind}_")]
    return [saved[f"{kind}_{number}"] for number in range(len(names))]
