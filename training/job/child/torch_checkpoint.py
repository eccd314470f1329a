"""What the training of a PyTorch model needs to continue after it was killed."""

import json
from pathlib import Path
from typing import Any

import torch


class TorchCheckpoint:
    """A file that always holds a whole checkpoint.

    `time` is how long the training had taken, in seconds, and `note` what else was kept with it, JSON.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.time = 0.0
        self.note: dict[str, Any] = {}

    def save(
        self,
        model: Any,
        optimizer: Any,
        history: dict[str, list[float]],
        time: float,
        note: dict[str, Any] | None = None,
    ) -> None:
        """Keep the state after an epoch; if the disk is full, keep the one before, and say so in the log."""
        try:
            self.write(model, optimizer, history, time, note)
        except OSError as error:
            print(f"no checkpoint of this epoch: {error}", flush=True)

    def write(
        self,
        model: Any,
        optimizer: Any,
        history: dict[str, list[float]],
        time: float,
        note: dict[str, Any] | None = None,
    ) -> None:
        """Keep the state. Raises OSError if the disk is full, and then the one before is kept."""
        part = self._file.with_suffix(".part")
        state = {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "history": history,
            "time": time,
            "note": json.dumps(note or {}),
        }
        try:
            torch.save(state, part)
            part.replace(self._file)
        except (OSError, RuntimeError) as error:  # torch's own writer knows no OSError
            part.unlink(missing_ok=True)
            raise OSError(" ".join(str(error).split())) from None

    def restore(self, model: Any, optimizer: Any, device: Any) -> dict[str, list[float]]:
        """Load the state into a new model and its optimizer; return the metrics, if there are any."""
        if not self._file.exists():
            return {}
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        try:
            found = torch.load(self._file, map_location=device, weights_only=True)
            model.load_state_dict(found["model"])
            optimizer.load_state_dict(found["optimizer"])
            self.time, self.note = float(found["time"]), json.loads(found.get("note") or "{}")
            return {str(name): list(values) for name, values in found["history"].items()}
        except Exception:  # of another model, or not a checkpoint: torch has no class for all of these
            model.load_state_dict(before)
            return {}
