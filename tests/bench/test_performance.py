"""The commands in docs/performance.md name benchmarks and metrics that exist."""

import re

from prometheus_client import REGISTRY, generate_latest

from pipeline.flow import ledger
from tests.bench.__main__ import KINDS
from tests.parts import ROOT

PAGE = (ROOT / "docs/performance.md").read_text()
BENCH, METRICS, _ = PAGE.partition("```sh\n")[2].partition("```")[0].splitlines()


def test_the_named_benchmarks_exist() -> None:
    (named,) = re.findall('ONLY="(.*?)"', BENCH)

    assert set(named.split()) <= set(KINDS)


def test_the_named_metric_exists() -> None:
    ledger.Ledger().went("front", 0.01)
    (metric,) = re.findall(r"grep (\w+)", METRICS)

    assert metric in generate_latest(REGISTRY).decode()
