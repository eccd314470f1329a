"""The metrics of the newest mini-batches."""

import math
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Final

KEPT: Final = 1_000
"""Mini-batches whose metrics are kept: so a stream without an end takes no more and more memory."""


class Recent:
    """Metrics of the newest `KEPT` mini-batches; those of the validation have `val_` before their names."""

    def __init__(self, numbers: Iterable[Mapping[str, float | None]] = ()) -> None:
        self._numbers = deque[dict[str, float | None]](maxlen=KEPT)
        for each in numbers:
            self.add(each)

    def add(self, numbers: Mapping[str, float | None]) -> None:
        """Keep the metrics of a mini-batch."""
        self._numbers.append(
            {
                name: None if value is None or not math.isfinite(value) else float(value)
                for name, value in numbers.items()
            }
        )

    def last(self) -> dict[str, float | None]:
        """Return the metrics of the newest mini-batch; empty if there is none."""
        return dict(self._numbers[-1]) if self._numbers else {}

    def listed(self) -> list[dict[str, float | None]]:
        """Return all, the oldest first."""
        return list(self._numbers)

    def history(self) -> dict[str, Any]:
        """Return the metrics as they are uploaded: null where a mini-batch has no such metric."""
        names = dict.fromkeys(name for each in self._numbers for name in each)
        lists = {name: [each.get(name) for each in self._numbers] for name in names}
        validation = {name[4:]: values for name, values in lists.items() if name.startswith("val_")}
        return {
            "train_metrics": {name: values for name, values in lists.items() if not name.startswith("val_")},
            "val_metrics": validation or None,
        }
