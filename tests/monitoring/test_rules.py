"""Prometheus accepts the configurations and the rules, and the rules do what their tests say."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.parts import ROOT
from tests.test_metrics import METRICS

RULES: Final = ROOT / "k8s/components/monitoring/rules.yml"
TESTS: Final = ROOT / "tests/monitoring/rules.yml"
PAGE: Final = ROOT / "docs/monitoring.md"
CONFIGURATIONS: Final = ("k8s/components/monitoring/scrape.yml", "compose/prometheus.yml")

Rule = dict[str, Any]


def groups() -> list[Any]:
    """Return the groups of rules."""
    found: list[Any] = yaml.safe_load(RULES.read_text())["groups"]
    return found


def rules(kind: str) -> list[Rule]:
    """Return the rules that record something, or the alerts."""
    return [rule for group in groups() for rule in group["rules"] if kind in rule]


def accepts(promtool: str, *arguments: str | Path) -> None:
    """Let promtool check something; fail with what it prints."""
    run = subprocess.run([promtool, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_alerts_say_what_their_tests_expect(promtool: str) -> None:
    accepts(promtool, "test", "rules", TESTS)


def test_prometheus_accepts_the_rules(promtool: str) -> None:
    accepts(promtool, "check", "rules", RULES)


@pytest.mark.parametrize("path", CONFIGURATIONS)
def test_prometheus_accepts_the_configuration(promtool: str, path: str, tmp_path: Path) -> None:
    """The rules lie next to it, as in the container."""
    shutil.copy(ROOT / path, tmp_path / "prometheus.yml")
    shutil.copy(RULES, tmp_path / "rules.yml")

    accepts(promtool, "check", "config", tmp_path / "prometheus.yml")


def test_both_configurations_collect_from_the_same_services_and_pods_from_inferences_too() -> None:
    pods, containers = (
        [job["job_name"] for job in yaml.safe_load((ROOT / path).read_text())["scrape_configs"]]
        for path in CONFIGURATIONS
    )

    assert containers == ["producer", "consumer", "video", "training"]
    assert pods == [*containers, "inference"]


def test_the_rules_name_only_metrics_and_labels_that_exist() -> None:
    kinds = {metric.name: metric.kind for metric in METRICS}
    known = {
        *(name for name, kind in kinds.items() if kind != "Histogram"),
        *(f"{name}_bucket" for name, kind in kinds.items() if kind == "Histogram"),
        *(rule["record"] for rule in rules("record")),
    }
    labels = {label for metric in METRICS for label in metric.labels} | {"job", "instance", "le"}

    for rule in (*rules("record"), *rules("alert")):
        named = set(re.findall(r"[\w:]*(?:streamlens|ei)_\w+(?::\w+)?", rule["expr"]))
        grouped = {
            label.strip()
            for names in re.findall(r"\b(?:by|on|without) \(([^)]*)\)", rule["expr"])
            for label in names.split(",")
        }
        assert named - known == set()
        assert grouped - labels <= {""}


def test_a_recorded_series_is_named_after_its_labels_and_its_metric() -> None:
    for rule in rules("record"):
        level, metric, operation = rule["record"].split(":")
        by = re.search(r"sum by \(([^)]*)\)|max by \(([^)]*)\)", rule["expr"])

        assert by
        grouped = [label.strip() for label in (by[1] or by[2]).split(",") if label.strip() != "le"]
        assert level == "_".join(grouped)
        assert metric.startswith("streamlens_")
        assert operation


@pytest.mark.parametrize("rule", rules("alert"), ids=lambda rule: rule["alert"])
def test_an_alert_says_which_part_it_is_about_and_what_to_do(rule: Rule) -> None:
    summary = rule["annotations"]["summary"]

    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert rule["for"]
    assert re.search(r"\$labels\.(camera|job|model) ", summary)
    assert re.search(r"\b(run|add|look|check|start|kubectl)\b", summary, re.IGNORECASE)


def test_each_alert_is_tested() -> None:
    tests = yaml.safe_load(TESTS.read_text())["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]

    silent = {case["alertname"] for case in cases if not case.get("exp_alerts")}
    firing = {case["alertname"] for case in cases if case.get("exp_alerts")}
    assert silent == firing == {rule["alert"] for rule in rules("alert")}
    stages = {alert["exp_labels"].get("stage") for case in cases for alert in case.get("exp_alerts", [])} - {
        None
    }
    assert stages == {rule["labels"].get("stage") for rule in rules("alert")} - {None}


def test_the_operator_gets_the_same_rules() -> None:
    head = (ROOT / "k8s/operator/rules-head.yml").read_text()
    indented = re.sub("(?m)^", "  ", RULES.read_text())

    rule = yaml.safe_load(head + indented)

    assert (rule["apiVersion"], rule["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert rule["spec"] == {"groups": groups()}


def test_the_text_lists_each_alert_and_each_recorded_series() -> None:
    text = PAGE.read_text()
    rows = re.findall(r"^\| (`.+`) \|", text, re.MULTILINE)
    listed = {name for row in rows for name in re.findall("`([^`]+)`", row)}

    assert listed == {rule.get("alert") or rule["record"] for rule in (*rules("alert"), *rules("record"))}
    for rule in rules("alert"):
        assert f"| `{rule['alert']}` |" in text


def test_the_text_adds_an_alertmanager_as_prometheus_expects(promtool: str, tmp_path: Path) -> None:
    (added,) = re.findall(r"```yaml\n(alerting:.+?)```", PAGE.read_text(), re.DOTALL)
    shutil.copy(RULES, tmp_path / "rules.yml")
    config = tmp_path / "prometheus.yml"
    config.write_text((ROOT / CONFIGURATIONS[0]).read_text() + added)

    accepts(promtool, "check", "config", config)
