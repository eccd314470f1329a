"""The task that answers: it loads a model, and predicts each array that comes."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from training.code.child.execute import UserError, where
from training.code.child.reason import reason
from training.code.child.report import Report
from training.code.program import FRAMEWORKS
from training.inference import wire

_MODULES: Final = {
    "tf": "training.inference.child.keras_predict",
    "pth": "training.inference.child.torch_predict",
}
_BYTES: Final = 2**30  # of a question

Predict = Callable[[NDArray[Any]], NDArray[Any] | tuple[NDArray[Any], ...]]
"""Returns the predictions, shape (n, …), for rows, shape (n, …); or several outputs, each an answer."""


def main(request: dict[str, Any], report: Report) -> None:
    """Load the model in `request`, and answer until the pipe of questions ends."""
    framework = _imported(request["framework"])
    report.send("started")
    try:
        predict: Predict = framework.load(request)
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"the trained model cannot be loaded: {reason(error)}") from None
    serve(request, report, predict)


def serve(request: dict[str, Any], report: Report, predict: Predict) -> None:
    """Answer questions, one after the other."""
    with Path(request["questions"]).open("rb") as questions, Path(request["answers"]).open("wb") as answers:
        report.progress({"loaded": True})
        while (rows := wire.read(questions, _BYTES)) is not None:
            for answer in _answers(predict, rows):
                wire.write(answers, answer)


def _answers(predict: Predict, rows: NDArray[Any]) -> tuple[NDArray[Any] | str, ...]:
    try:
        outputs = predict(rows)
        found = outputs if isinstance(outputs, tuple) else (outputs,)
        for each in found:
            if each.ndim == 0 or len(each) != len(rows) or each.dtype.kind not in "biuf":
                return (
                    f"the model gave {each.dtype} of shape {each.shape} for {len(rows)} samples: expected"
                    " numbers, a row for each",
                )
    except UserError as error:
        return (str(error),)
    except Exception as error:  # the model's
        return (f"{where(error)}: {reason(error)}",)
    return found


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(_MODULES[name])
    except ImportError as error:
        raise UserError(f"{FRAMEWORKS[name]} is not installed here: {error}") from None
