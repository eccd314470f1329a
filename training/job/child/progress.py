"""The metrics of all epochs, and how far a training is, as it reports them."""

import math
import time
from typing import Any, Final

from training.code.child.report import Report

_EVERY: Final = 0.5  # s


class Progress:
    """Keeps `metrics`, a number per epoch; those of the validation have `val_` before their names."""

    def __init__(self, report: Report, epochs: int, metrics: dict[str, list[float]]) -> None:
        self.metrics = metrics
        self._report = report
        self._epochs = epochs
        self._reported = 0.0
        self._epoch = 0

    def begin(self, epoch: int) -> None:
        """Note which epoch runs, counted from 0."""
        self._epoch = epoch

    def step(self, step: int, steps: int | None) -> None:
        """Report that so many steps of the epoch are done, from time to time."""
        now = time.monotonic()
        if now - self._reported >= _EVERY:
            self._reported = now
            self._send({"step": step, **({"steps": int(steps)} if steps else {})})

    def keep(self, epoch: int, numbers: dict[str, float]) -> None:
        """Keep the metrics of an epoch that is done."""
        before = max(map(len, self.metrics.values()), default=0)
        for name in dict.fromkeys((*self.metrics, *numbers)):  # not every epoch need be validated
            values = self.metrics.setdefault(name, [math.nan] * before)
            values.append(float(numbers.get(name, math.nan)))
        self._epoch = epoch + 1

    def report(self) -> None:
        """Report the metrics."""
        self._send({"metrics": self.history()})

    def history(self) -> dict[str, dict[str, list[float | None]] | None]:
        """Return the metrics as they are uploaded."""
        plain = {
            name: [value if math.isfinite(value) else None for value in values]
            for name, values in self.metrics.items()
        }
        validation = {name[4:]: values for name, values in plain.items() if name.startswith("val_")}
        return {
            "train_metrics": {name: values for name, values in plain.items() if not name.startswith("val_")},
            "val_metrics": validation or None,
        }

    def _send(self, more: dict[str, Any]) -> None:
        self._report.progress({"state": "training", "epoch": self._epoch, "epochs": self._epochs, **more})
