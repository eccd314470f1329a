"""The outcome of a joint training, as one outcome for each part of the chain."""

from typing import Any, Final

from training.code.program import CodeError
from training.job.outcome import Outcome, outcome

PREFIX: Final = "part_{}_"
"""What precedes the names of a part's metrics in those of the joint model, unless it has only one part."""


def of_part(metrics: Any, number: int, count: int) -> dict[str, Any] | None:
    """Return the metrics of one of so many parts by their exact names; None if there are no metrics.

    Raises AttributeError if these are not metrics.
    """
    if metrics is None or count == 1:
        return None if metrics is None else {**metrics}
    prefix = PREFIX.format(number)
    return {name.removeprefix(prefix): value for name, value in metrics.items() if name.startswith(prefix)}


def outcomes(found: Any, count: int) -> list[Outcome]:
    """Return the checked outcomes of all parts. Raises CodeError."""
    try:
        return [
            outcome(
                {
                    **{
                        name: of_part(found[name], number, count) for name in ("train_metrics", "val_metrics")
                    },
                    "test_metrics": of_part(found["test_metrics"], number, count),
                    "training_time": found["training_time"],
                    "confusion_matrix": (found["confusion_matrix"] or [None] * count)[number],
                    "program": found["program"][number],
                }
            )
            for number in range(count)
        ]
    except (KeyError, TypeError, AttributeError, IndexError):
        raise CodeError("the code: it wrote into the report of its own process") from None
