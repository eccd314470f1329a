"""The outcome of a joint training, as one outcome for each part of the chain."""

from typing import Any, Final

from training.code.program import CodeError
from training.job.outcome import Outcome, outcome

PREFIX: Final = "part_{}_"
"""What precedes the names of a part's metrics in those of the joint model."""


def of_part(metrics: Any, number: int) -> dict[str, Any] | None:
    """Return the metrics of a part, without the prefix, by their exact names; None if there are no metrics.

    Raises AttributeError if these are not metrics.
    """
    if metrics is None:
        return None
    prefix = PREFIX.format(number)
    return {name.removeprefix(prefix): value for name, value in metrics.items() if name.startswith(prefix)}


def outcomes(found: Any, count: int) -> list[Outcome]:
    """Return the checked outcomes of all parts. Raises CodeError."""
    try:
        return [
            outcome(
                {
                    **{name: of_part(found[name], number) for name in ("train_metrics", "val_metrics")},
                    "test_metrics": of_part(found["test_metrics"], number),
                    "training_time": found["training_time"],
                    "confusion_matrix": (found["confusion_matrix"] or [None] * count)[number],
                    "program": found["program"][number],
                }
            )
            for number in range(count)
        ]
    except (KeyError, TypeError, AttributeError, IndexError):
        raise CodeError("the code: it wrote into the report of its own process") from None
