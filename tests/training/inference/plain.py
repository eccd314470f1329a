"""A task that answers without a framework: with the sums of rows, or as its request says."""

import os
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.code.child.execute import UserError
from training.code.child.report import Report
from training.inference.child.answer import serve


def main(request: dict[str, Any], report: Report) -> None:
    report.send("started")
    if request.get("trouble"):
        raise UserError(request["trouble"])

    def predict(rows: NDArray[Any]) -> NDArray[Any] | tuple[NDArray[Any], NDArray[Any]]:
        first = rows.flat[0]
        if first == 250:
            os._exit(3)
        if first == 251:
            time.sleep(60)
        if first == 252:
            raise ValueError("252 is not a number that it likes")
        if first == 253:
            return np.zeros(1)
        if first == 254:
            raise UserError("line 3 of the code: no")
        sums: NDArray[Any] = rows.sum(tuple(range(1, rows.ndim)), dtype=np.float64)
        if request.get("both"):
            return (rows[:1] if first == 249 else rows), sums
        return sums

    serve(request, report, predict)
