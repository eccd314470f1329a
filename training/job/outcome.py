"""What the restricted process says about a training, checked: the user's code may have written it."""

import math
from dataclasses import dataclass
from typing import Any

from training.code.program import CodeError

Metrics = dict[str, list[float | None]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Metrics per epoch; those of the test have one value. `matrix` is square, or None."""

    train_metrics: Metrics
    val_metrics: Metrics | None
    test_metrics: Metrics | None
    training_time: float
    matrix: list[list[int]] | None
    program: tuple[str, str] | None
    rounds: list[dict[str, Any]] | None = None

    def fields(self) -> dict[str, Any]:
        """Return what is uploaded in `data`."""
        found = {
            "train_metrics": self.train_metrics,
            "val_metrics": self.val_metrics,
            "test_metrics": self.test_metrics,
            "training_time": self.training_time,
            "confusion_matrix": self.matrix,
        }
        return found if self.rounds is None else {**found, "progress": {"rounds": self.rounds}}


def outcome(value: Any) -> Outcome:
    """Return a checked outcome. Raises CodeError."""
    try:
        program = value["program"]
        return Outcome(
            train_metrics=metrics(value["train_metrics"]) or {},
            val_metrics=metrics(value["val_metrics"]),
            test_metrics=metrics(value["test_metrics"]),
            training_time=_number(value["training_time"]) or 0.0,
            matrix=_matrix(value["confusion_matrix"]),
            program=None if program is None else (str(program[0]), str(program[1])),
            rounds=_rounds(value.get("rounds")),
        )
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError, IndexError):
        raise CodeError("the code: it wrote into the report of its own process") from None


def metrics(value: Any) -> Metrics | None:
    """Return checked metrics. Raises TypeError, ValueError or AttributeError."""
    if value is None:
        return None
    return {str(name): [_number(number) for number in numbers] for name, numbers in value.items()}


def progress(value: dict[str, Any]) -> dict[str, Any]:
    """Return a report of progress with the fields that the service knows, where they are numbers."""
    fields = {
        name: value[name] for name in ("epoch", "epochs", "step", "steps") if _is_count(value.get(name))
    }
    state = value.get("state")
    try:
        rounds = _rounds(value.get("rounds"))
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
        raise CodeError("the code: it wrote into the report of its own process") from None
    if rounds is not None:
        fields["rounds"] = rounds
    return {"state": state if state in ("evaluating", "exporting") else "training", **fields}


def _rounds(value: Any) -> list[dict[str, Any]] | None:
    """Return checked figures of rounds of semi-supervised training."""
    if value is None:
        return None
    found = []
    for each in value:
        if not (_is_count(each["taken"]) and _is_count(each["left"])):
            raise ValueError
        numbers = {str(name): _number(number) for name, number in each["metrics"].items()}
        found.append({"taken": each["taken"], "left": each["left"], "metrics": numbers})
    return found


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**53


def _number(value: Any) -> float | None:
    if value is None:
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def _matrix(value: Any) -> list[list[int]] | None:
    if value is None:
        return None
    matrix = [[int(number) for number in row] for row in value]
    if not matrix or len(matrix) > 1_000 or any(len(row) != len(matrix) for row in matrix):
        raise ValueError
    return matrix if all(0 <= number < 2**53 for row in matrix for number in row) else None
