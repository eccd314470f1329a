"""The dashboard is up to date, and its queries return data."""

import json
import re
from typing import Any, Final

import pytest

from tests.monitoring import dashboard
from tests.monitoring.conftest import AWAY, CAMERA, Prometheus
from tests.parts import wait_for

BOARD: Final[dict[str, Any]] = json.loads(dashboard.FILE.read_text())


def expressions() -> list[Any]:
    """Return the expressions of all panels."""
    return [
        pytest.param(target["expr"], id=f"{panel['title']} {target['refId']}")
        for panel in BOARD["panels"]
        for target in panel.get("targets", [])
    ]


def as_sent(expression: str) -> str:
    """Return what Grafana sends: it replaces the variables, and escapes regular expressions."""
    camera = re.sub(r"[$^*{}\[\]'+?.()|]", r"\\\\\g<0>", CAMERA)
    for name, value in {"$__rate_interval": "30s", "$__range": "1h", "$camera": camera}.items():
        expression = expression.replace(name, value)
    assert "$" not in expression
    return expression


def test_the_file_is_up_to_date() -> None:
    assert dashboard.FILE.read_text() == dashboard.text(), "run: python -m tests.monitoring.dashboard"


def test_there_are_totals_and_a_row_per_camera() -> None:
    rows = [(panel["title"], panel.get("repeat")) for panel in BOARD["panels"] if panel["type"] == "row"]

    assert rows == [("All cameras", None), ("$camera", "camera")]
    below = BOARD["panels"][1 + len(dashboard.TOTALS) + 1 :]
    assert len(below) == len(dashboard.OF_A_CAMERA)
    assert all("$camera" in target["expr"] for panel in below for target in panel["targets"])
    variables = {each["name"]: each for each in BOARD["templating"]["list"]}
    assert variables["camera"]["query"] == dashboard.CAMERAS
    assert variables["camera"]["includeAll"]


@pytest.mark.parametrize("expression", expressions())
def test_a_query_returns_data(measured: Prometheus, expression: str) -> None:
    wait_for(lambda: measured.values(as_sent(expression)), 60, expression)


def test_the_variable_has_the_cameras(measured: Prometheus) -> None:
    match = re.fullmatch(r"label_values\((\w+), (\w+)\)", dashboard.CAMERAS)

    assert match
    path, selector = f"label/{match[2]}/values", {"match[]": match[1]}
    wait_for(lambda: measured.ask(path, **selector) == [AWAY, CAMERA], 60, "the cameras' names")


def test_all_rules_are_evaluated_and_the_only_alert_is_about_the_camera_that_is_away(
    measured: Prometheus,
) -> None:
    def rules() -> list[dict[str, Any]]:
        return [rule for group in measured.ask("rules")["groups"] for rule in group["rules"]]

    wait_for(lambda: all(rule["health"] == "ok" for rule in rules()), 60, "the rules to be evaluated")

    assert [rule["lastError"] for rule in rules() if "lastError" in rule] == []
    wait_for(lambda: ("CameraDown", AWAY) in alerts(measured, "pending", "firing"), 60, "the alert")
    assert alerts(measured, "firing") <= {("CameraDown", AWAY)}
    recorded = {rule["name"] for rule in rules() if rule["type"] == "recording"}
    wait_for(lambda: all(map(measured.values, recorded)), 60, "all recorded series")


def alerts(prometheus: Prometheus, *states: str) -> set[tuple[str, str]]:
    """Return the alerts in these states, each with its camera."""
    return {
        (alert["labels"]["alertname"], alert["labels"].get("camera", ""))
        for alert in prometheus.ask("alerts")["alerts"]
        if alert["state"] in states
    }
