"""The task that checks a model's code, and optionally writes what a training job begins with."""

import importlib
from typing import Any, Final, Protocol

from training.code.child.execute import UserError, parse
from training.code.child.report import Report
from training.code.program import FRAMEWORKS

_MODULES: Final = {"tf": "training.code.child.keras_model", "pth": "training.code.child.torch_model"}


class Framework(Protocol):
    """What the module of a framework offers."""

    def summarise(self, request: dict[str, Any]) -> dict[str, Any]:
        """Run the code, write the file if `request` names one, and return the fields of a Summary."""

    def import_trained(self, request: dict[str, Any]) -> None:
        """Load the trained model in the file `trained`. Raises UserError if it is not one of the program."""


def main(request: dict[str, Any], report: Report) -> dict[str, Any]:
    """Return the summary of the program in `request`; nothing if only its syntax is to be checked."""
    if request.get("only_syntax"):
        report.send("started")
        parse(request["imports"], request["code"])
        return {}
    framework = load(request["framework"])
    report.send("started")
    return framework.summarise(request)


def load(name: str) -> Framework:
    """Import a framework, which takes seconds. Raises UserError if it is not installed."""
    try:
        module: Any = importlib.import_module(_MODULES[name])
    except ImportError as error:
        raise UserError(f"{FRAMEWORKS[name]} is not installed here: {error}") from None
    return module  # type: ignore[no-any-return]
