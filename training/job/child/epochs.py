"""Reports each epoch, and how far it is."""

import math
import time
from typing import Any, Final

import keras

from training.code.child.report import Report
from training.job.child.checkpoint import Checkpoint

_EVERY: Final = 0.5  # s


class Epochs(keras.callbacks.Callback):  # type: ignore[misc]
    """Keeps the metrics of all epochs, those of the validation with `val_` before their names."""

    def __init__(
        self, report: Report, checkpoint: Checkpoint, epochs: int, history: dict[str, list[float]]
    ) -> None:
        super().__init__()
        self._report = report
        self._checkpoint = checkpoint
        self._epochs = epochs
        self._metrics = history
        self._began = time.monotonic()
        self._reported = 0.0
        self._epoch = 0

    def history(self) -> dict[str, dict[str, list[float | None]] | None]:
        """Return the metrics as they are uploaded."""
        plain = {
            name: [value if math.isfinite(value) else None for value in values]
            for name, values in self._metrics.items()
        }
        validation = {name[4:]: values for name, values in plain.items() if name.startswith("val_")}
        return {
            "train_metrics": {name: values for name, values in plain.items() if not name.startswith("val_")},
            "val_metrics": validation or None,
        }

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Note which epoch runs."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Report the step, from time to time."""
        now = time.monotonic()
        if now - self._reported >= _EVERY:
            self._reported = now
            steps = (self.params or {}).get("steps")
            self._send({"step": batch + 1, **({"steps": int(steps)} if steps else {})})

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the epoch's metrics and a checkpoint."""
        for name, value in (logs or {}).items():
            self._metrics.setdefault(name, []).append(float(value))
        self._epoch = epoch + 1
        self._checkpoint.save(
            self.model, self._metrics, self._checkpoint.time + time.monotonic() - self._began
        )
        self._send({"metrics": self.history()})

    def _send(self, more: dict[str, Any]) -> None:
        self._report.progress({"state": "training", "epoch": self._epoch, "epochs": self._epochs, **more})
