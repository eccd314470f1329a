"""Grafana's dashboard, in a few lines.

`python -m tests.monitoring.dashboard` writes it to k8s/grafana/dashboard.json.
"""

import itertools
from collections.abc import Mapping
from typing import Final, NamedTuple

from grafana_foundation_sdk.builders.dashboard import Dashboard, DatasourceVariable, QueryVariable, Row
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.timeseries import Panel as Timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef, VariableRefresh

from tests.parts import ROOT

FILE: Final = ROOT / "k8s/grafana/dashboard.json"
CAMERAS: Final = "label_values(streamlens_camera_up, camera)"
"""Grafana's query for the values of the variable `camera`."""


class Graph(NamedTuple):
    """A panel with curves: an expression for each legend, and the width in 24ths."""

    title: str
    unit: str
    curves: Mapping[str, str]
    width: int = 8


class Number(NamedTuple):
    """A panel with numbers of now: an expression for each name."""

    title: str
    numbers: Mapping[str, str]
    width: int = 4


TOTALS: Final = (
    Number(
        "Cameras",
        {
            "deliver": "sum(camera:streamlens_camera_up:max)",
            "not paused": "count(camera:streamlens_camera_up:max)",
        },
        6,
    ),
    Number("Processes", {"{{job}}": 'sum by (job) (up{job=~"producer|consumer|video"})'}, 8),
    Number("Alerts", {"firing": 'count(ALERTS{alertstate="firing"}) or vector(0)'}),
    Number("Viewers", {"": "sum(streamlens_sockets) + (sum(streamlens_stream_clients) or vector(0))"}, 6),
    Graph(
        "Frames out per second", "none", {"{{job}}": "sum by (job) (job_camera:streamlens_frames_out:rate1m)"}
    ),
    Graph(
        "Frames dropped per second",
        "none",
        {"{{job}}: {{reason}}": "sum by (job, reason) (job_camera_reason:streamlens_frames_dropped:rate1m)"},
    ),
    Graph("Age of frames (95 %)", "s", {"{{job}}": "job:streamlens_frame_age_seconds:p95_rate1m"}),
    Graph("Age of labels (half)", "s", {"{{model}}": "model:streamlens_label_age_seconds:p50_rate1m"}),
    Graph(
        "Time of the models (95 %)",
        "s",
        {
            "{{model}}: answer": "model:streamlens_model_answer_seconds:p95_rate1m",
            "{{model}}: wait": "model:streamlens_model_queue_seconds:p95_rate1m",
        },
    ),
    Graph(
        "Frames per request",
        "none",
        {
            "{{model}}": "sum by (model) (rate(streamlens_model_batch_frames_sum[$__rate_interval]))"
            " / sum by (model) (rate(streamlens_model_batch_frames_count[$__rate_interval]))"
        },
    ),
    Graph(
        "Requests per second",
        "none",
        {
            "{{model}}: {{outcome}}": "sum by (model, outcome)"
            " (rate(streamlens_model_requests_total[$__rate_interval]))"
        },
    ),
    Graph(
        "Load of the consumers (frames per second)",
        "none",
        {"answered": "sum(ei_infer_fps)", "no time": "sum(ei_drop_fps)"},
    ),
    Graph("Consumers needed, relative to those there are", "none", {"": "avg(ei_scale_ratio)"}),
)

OF_A_CAMERA: Final = (
    Number("Delivers", {"": 'camera:streamlens_camera_up:max{camera=~"$camera"}'}, 3),
    Number(
        "Reconnects",
        {"": 'sum(increase(streamlens_camera_reconnects_total{camera=~"$camera"}[$__range]))'},
        3,
    ),
    Graph(
        "Frames out per second",
        "none",
        {"{{job}}": 'job_camera:streamlens_frames_out:rate1m{camera=~"$camera"}'},
        6,
    ),
    Graph(
        "Frames dropped per second",
        "none",
        {"{{job}}: {{reason}}": 'job_camera_reason:streamlens_frames_dropped:rate1m{camera=~"$camera"}'},
        6,
    ),
    Graph(
        "Frames that wait",
        "none",
        {"{{job}}": 'sum by (job) (job_instance_camera:streamlens_frames_pending:sum{camera=~"$camera"})'},
        6,
    ),
)

_SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")


def dashboard() -> Dashboard:
    """Return the dashboard: the totals, and a row per camera."""
    built = (
        Dashboard("Streamlens")
        .uid("streamlens")
        .description("Frames, ages, models and cameras of Streamlens")
        .tags(["streamlens"])
        .refresh("15s")
        .time("now-1h", "now")
        .with_variable(DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .with_variable(
            QueryVariable("camera")
            .label("Camera")
            .datasource(_SOURCE)
            .query(CAMERAS)
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
            .multi(True)
            .include_all(True)
        )
    )
    numbers = itertools.count(1)
    built.with_row(Row("All cameras").id(next(numbers)))
    for each in TOTALS:
        built.with_panel(_panel(each, next(numbers)))
    built.with_row(Row("$camera").repeat("camera").id(next(numbers)))
    for each in OF_A_CAMERA:
        built.with_panel(_panel(each, next(numbers)))
    return built


def _panel(what: Graph | Number, number: int) -> Stat | Timeseries:
    if isinstance(what, Graph):
        graph = Timeseries().id(number).title(what.title).unit(what.unit).min(0).height(7).span(what.width)
        return graph.datasource(_SOURCE).targets([*_targets(what.curves)])
    stat = Stat().id(number).title(what.title).height(5).span(what.width)
    return stat.datasource(_SOURCE).targets([each.instant() for each in _targets(what.numbers)])


def _targets(expressions: Mapping[str, str]) -> list[Dataquery]:
    return [
        Dataquery().expr(expression).legend_format(legend or "__auto").ref_id(chr(ord("A") + number))
        for number, (legend, expression) in enumerate(expressions.items())
    ]


def text() -> str:
    """Return the file's text."""
    return JSONEncoder(sort_keys=True, indent=2).encode(dashboard().build()) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
