"""A task that runs code in the restricted process without a framework."""

from typing import Any

from training.code.child.execute import execute
from training.code.child.report import Report


def main(request: dict[str, Any], report: Report) -> Any:
    report.send("started")
    return execute(request["imports"], request["code"], {"report": report}).get("result")
