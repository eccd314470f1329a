"""What the training of a PyTorch model needs to continue after it was killed."""

from pathlib import Path
from typing import Any

import torch


class TorchCheckpoint:
    """A file that always holds a whole checkpoint. `time` is how long the training had taken, in seconds."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.time = 0.0

    def save(self, model: Any, optimizer: Any, history: dict[str, list[float]], time: float) -> None:
        """Keep the state after an epoch; if the disk is full, keep the one before, and say so in the log."""
        part = self._file.with_suffix(".part")
        state = {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "history": history,
            "time": time,
        }
        try:
            torch.save(state, part)
            part.replace(self._file)
        except (OSError, RuntimeError) as error:  # torch's own writer knows no OSError
            part.unlink(missing_ok=True)
            print(f"no checkpoint of this epoch: {' '.join(str(error).split())}", flush=True)

    def restore(self, model: Any, optimizer: Any, device: Any) -> dict[str, list[float]]:
        """Load the state into a new model and its optimizer; return the metrics, if there are any."""
        if not self._file.exists():
            return {}
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        try:
            found = torch.load(self._file, map_location=device, weights_only=True)
            model.load_state_dict(found["model"])
            optimizer.load_state_dict(found["optimizer"])
            self.time = float(found["time"])
            return {str(name): list(values) for name, values in found["history"].items()}
        except Exception:  # of another model, or not a checkpoint: torch has no class for all of these
            model.load_state_dict(before)
            return {}
