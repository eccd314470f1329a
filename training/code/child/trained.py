"""The task that loads a model that was trained elsewhere, and compares it with a program's."""

from typing import Any

from training.code.child.check import load
from training.code.child.report import Report


def main(request: dict[str, Any], report: Report) -> None:
    """Load the trained model in the file `trained`; write it here as a SavedModel if it is TensorFlow's."""
    framework = load(request["framework"])
    report.send("started")
    framework.import_trained(request)
