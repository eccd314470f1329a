"""Reports each epoch of a Keras model, and how far it is."""

import time
from collections.abc import Callable
from typing import Any

import keras

from training.job.child.checkpoint import Checkpoint
from training.job.child.progress import Progress


class Epochs(keras.callbacks.Callback):  # type: ignore[misc]
    """Keeps metrics and a checkpoint after each epoch, with a note."""

    def __init__(
        self, progress: Progress, checkpoint: Checkpoint, note: Callable[[], dict[str, Any]] = dict
    ) -> None:
        super().__init__()
        self._note = note
        self._progress = progress
        self._checkpoint = checkpoint
        self._began = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Note which epoch runs."""
        self._progress.begin(epoch)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Report the step, from time to time."""
        self._progress.step(batch + 1, (self.params or {}).get("steps"))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the epoch's metrics and a checkpoint."""
        self._progress.keep(epoch, logs or {})
        elapsed = time.monotonic() - self._began
        time_taken = self._checkpoint.time + elapsed
        self._checkpoint.save(self.model, self._progress.metrics, time_taken, self._note())
        self._progress.report()
