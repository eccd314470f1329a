"""Whether a metric has improved enough for a new result."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

_VALIDATION: Final = "val_"


@dataclass(frozen=True, slots=True)
class Improvement:
    """A metric of the validation that goes `up` or `down` when a model improves, and by how much it must."""

    metric: str
    change: Literal["up", "down"]
    least: float

    def value(self, metrics: Mapping[str, float | None]) -> float | None:
        """Return the metric of a mini-batch; None if it has no validation, or no finite value.

        Raises ValueError if the model has no such metric.
        """
        name = f"{_VALIDATION}{self.metric}"
        if name not in metrics:
            known = [each for each in metrics if not each.startswith(_VALIDATION)]
            if self.metric not in known:
                raise ValueError(
                    f"monitoring_metric {self.metric!r}: the model has {', '.join(known) or 'no metrics'}"
                )
            return None
        value = metrics[name]
        return value if value is not None and math.isfinite(value) else None

    def is_better(self, value: float, best: float | None) -> bool:
        """Return whether a value is the first, or better than the best one so far by the least change."""
        if best is None:
            return True
        gain = value - best if self.change == "up" else best - value
        return gain > 0 and (gain >= self.least or math.isclose(gain, self.least, rel_tol=1e-9))
