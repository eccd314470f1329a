"""The metrics have the names that Prometheus recommends, and the READMEs' tables list each of them.

https://prometheus.io/docs/practices/naming/
"""

import ast
import re
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.parts import ROOT

SERVICES: Final = ("pipeline", "producer", "consumer", "video", "training")
KINDS: Final = {"Counter", "Gauge", "Histogram", "CounterMetricFamily", "GaugeMetricFamily"}
CAMERA: Final = {
    "pipeline/flow/ledger.py": "tests/pipeline/flow/test_ledger.py",
    "producer/metrics.py": "tests/producer/sharing/test_follower.py",
    "video/streams/metrics.py": "tests/video/streams/test_metrics.py",
}
"""The modules that count per camera, and the tests that removed cameras leave no series behind."""


class Metric(NamedTuple):
    """What a module declares: the full name, as Prometheus stores it, and the labels."""

    module: str
    kind: str
    name: str
    labels: tuple[str, ...]
    text: str

    @property
    def shown(self) -> str:
        """How the READMEs write it."""
        return f"{self.name}{{{','.join(self.labels)}}}" if self.labels else self.name


def declared(path: Path) -> list[Metric]:
    """Return the metrics that a module declares."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return [_metric(path, call) for call in calls if _kind(call) in KINDS and _is_metric(call)]


def _kind(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


def _is_metric(call: ast.Call) -> bool:
    """Whether it is not a `collections.Counter`."""
    match call.args:
        case [ast.Constant(value=str()), ast.Constant(value=str()), *_]:
            return True
    return False


def _metric(path: Path, call: ast.Call) -> Metric:
    name, text, *rest = (ast.literal_eval(arg) for arg in call.args)
    named = [ast.literal_eval(each.value) for each in call.keywords if each.arg == "labels"]
    labels: list[str] = next(iter(rest + named), [])
    kind = _kind(call).removesuffix("MetricFamily")
    full = f"{name}_total" if kind == "Counter" else name
    return Metric(str(path.relative_to(ROOT)), kind, full, tuple(labels), text)


METRICS: Final = [
    metric
    for service in SERVICES
    for path in sorted((ROOT / service).rglob("*.py"))
    for metric in declared(path)
]
each_metric = pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)


def table(service: str) -> dict[str, str]:
    """Return the metrics in a README's tables, and their meanings."""
    text = (ROOT / service / "README.md").read_text()
    return dict(re.findall(r"^\| `((?:streamlens|ei)_[^`]+)` \| (.+) \|$", text, re.MULTILINE))


def test_all_metrics_are_found() -> None:
    names = {metric.name for metric in METRICS}

    assert len(names) == len(METRICS) >= 44
    assert names >= {"streamlens_frames_in_total", "ei_scale_ratio", "streamlens_tls_failed_total"}


@each_metric
def test_a_metric_is_in_the_table_of_its_package(metric: Metric) -> None:
    assert metric.shown in table(metric.module.partition("/")[0])


@each_metric
def test_a_histogram_is_called_one(metric: Metric) -> None:
    meaning = table(metric.module.partition("/")[0])[metric.shown]

    assert meaning.startswith("histogram: ") == (metric.kind == "Histogram")


@pytest.mark.parametrize("service", SERVICES)
def test_the_tables_name_no_metric_that_does_not_exist(service: str) -> None:
    assert table(service).keys() <= {metric.shown for metric in METRICS}


@pytest.mark.parametrize(
    "page",
    [page for folder in (*SERVICES, "docs", "k8s", "compose") for page in (ROOT / folder).rglob("*.md")],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_the_texts_name_no_metric_that_does_not_exist(page: Path) -> None:
    labels = {metric.name: set(metric.labels) for metric in METRICS}

    for name, given in re.findall(r"`((?:streamlens|ei)_\w+)(?:\{([\w,]+)\})?", page.read_text()):
        assert name in labels
        assert set(filter(None, given.split(","))) <= labels[name]


@each_metric
def test_its_name_has_the_prefix_and_the_unit(metric: Metric) -> None:
    assert re.fullmatch(r"(streamlens(_[a-z]+)+|ei_(infer_fps|drop_fps|scale_ratio))", metric.name)
    assert metric.name.endswith("_total") == (metric.kind == "Counter")
    if metric.kind == "Histogram":
        assert metric.name.endswith(("_seconds", "_frames"))


@each_metric
def test_its_help_is_a_phrase(metric: Metric) -> None:
    assert re.fullmatch(r"[A-Z].*[^.]", metric.text)


def test_the_table_has_each_reason_for_dropping_a_frame() -> None:
    sources = [path.read_text() for service in SERVICES for path in (ROOT / service).rglob("*.py")]
    literal = re.compile(r'\b(?:dropped|_drop|_miss)\([\w.]+, "(\w+)"')
    used = {reason for source in sources for reason in literal.findall(source)}

    text = (ROOT / "pipeline/flow/README.md").read_text()
    rows = set(re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \|$", text, re.MULTILINE))

    assert used >= {"replaced", "not_due", "slow", "no_room", "queue_full"}
    assert rows >= used
    assert all(any(f'"{reason}"' in source for source in sources) for reason in rows)


def test_only_modules_that_forget_cameras_count_per_camera() -> None:
    modules = {metric.module for metric in METRICS if "camera" in metric.labels}

    assert modules == CAMERA.keys()
    assert all((ROOT / test).is_file() for test in CAMERA.values())
