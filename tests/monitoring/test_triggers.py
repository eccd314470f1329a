"""What the triggers of k8s/components/autoscaling see in each situation, as Prometheus computes it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.k8s import keda
from tests.k8s.manifests import of_kind, read
from tests.monitoring.test_rules import accepts

COMPONENT: Final = "k8s/components/autoscaling"
QUERIES: Final[dict[str, str]] = {
    trigger["name"]: trigger["metadata"]["query"]
    for app in ("producer", "consumer", "tfserving", "video")
    for scaler in of_kind(read(f"{COMPONENT}/{app}.yml"), keda.KIND)
    for trigger in scaler["spec"]["triggers"]
}

Series = dict[str, str]
EVERY: Final = 15  # s
LENGTH: Final = 20  # samples
CONSUMERS: Final = ('job="consumer", instance="a"', 'job="consumer", instance="b"')


def constant(name: str, value: float, labels: str = "") -> Series:
    """Return a gauge of each consumer."""
    return {f"{name}{{{each}{labels}}}": f"{value}x{LENGTH}" for each in CONSUMERS}


def rising(name: str, rate: float, labels: str = "") -> Series:
    """Return a counter of each consumer that rises by so many per second."""
    return {f"{name}{{{each}{labels}}}": f"0+{rate * EVERY}x{LENGTH}" for each in CONSUMERS}


def ages(name: str, edges: tuple[float, float], rate: float, labels: str = "") -> Series:
    """Return a histogram of each consumer, all of whose observations are between two neighbouring edges."""
    lower, upper = edges
    return {
        **rising(f"{name}_bucket", 0, f'{labels}, le="{lower}"'),
        **rising(f"{name}_bucket", rate, f'{labels}, le="{upper}"'),
        **rising(f"{name}_bucket", rate, f'{labels}, le="+Inf"'),
        **rising(f"{name}_count", rate, labels),
    }


def consumers(
    *,
    infer: float = 0,
    drop: float = 0,
    ratio: float = 0.5,
    frames: tuple[float, float] = (0.02, 0.04),
    labels: tuple[float, float] = (0.15, 0.3),
    queue: tuple[float, float] = (0, 0.001),
    labelled: float = 0,
    requests: float = 0,
    answers: float = 0,
    answer: float = 0,
    replaced: float | None = None,
) -> Series:
    """Return what two consumers export; rates are per second and consumer, times in s."""
    model = ', model="imagenet_1"'
    return {
        **constant("ei_infer_fps", infer),
        **constant("ei_drop_fps", drop),
        **constant("ei_scale_ratio", ratio),
        **ages("streamlens_frame_age_seconds", frames, infer + drop),
        **ages("streamlens_label_age_seconds", labels, labelled, model),
        **ages("streamlens_model_queue_seconds", queue, requests, model),
        **rising("streamlens_model_requests_total", requests, f'{model}, outcome="ok"'),
        **rising("streamlens_model_answer_seconds_count", answers, model),
        **rising("streamlens_model_answer_seconds_sum", answers * answer, model),
        **(
            {}
            if replaced is None
            else rising("streamlens_frames_dropped_total", replaced, ', camera="door", reason="replaced"')
        ),
    }


BUSY: Final[dict[str, Any]] = {
    "infer": 16.0,
    "drop": 32.0,
    "ratio": 3.0,
    "labelled": 48.0,
    "requests": 8.0,
    "answers": 8.0,
}
NO_DATA: Final[dict[str, float | None]] = {
    "offered": None,
    "ratio": None,
    "frames": None,
    "labels": None,
    "queue": None,
    "answer": None,
    "requests": None,
}
SITUATIONS: Final[dict[str, tuple[Series, dict[str, float | None]]]] = {
    "nothing is known yet": ({}, {**NO_DATA, "cameras": None, "viewers": None}),
    "there are no cameras": (consumers(), dict.fromkeys(NO_DATA, 0)),
    "there are no models": (
        {**constant("ei_infer_fps", 0), **constant("ei_drop_fps", 0), **constant("ei_scale_ratio", 0)},
        {"offered": 0, "ratio": None, "labels": None, "queue": None, "answer": None, "requests": None},
    ),
    "all is well": (
        consumers(**BUSY, answer=0.125),
        # 2 * 8 answers a second that take an eighth of one: two requests are under way
        {
            "offered": 96,
            "ratio": 6,
            "frames": 0,
            "labels": 0,
            "queue": 0.001,
            "answer": 0.125,
            "requests": 2,
        },
    ),
    "labels are old although the model answers quickly": (
        consumers(**BUSY, answer=0.125, labels=(1.2, 2.5)),
        {"labels": 2.405, "ratio": 6, "answer": 0.125},
    ),
    "the model is slow, and consumers wait with all their requests": (
        consumers(**{**BUSY, "answers": 4}, answer=1, labels=(1.2, 2.5)),
        {"labels": 0, "ratio": 0, "answer": 1, "requests": 0, "offered": 96},
    ),
    "the model is away": (
        consumers(**{**BUSY, "answers": 0, "ratio": 1, "infer": 0}),
        # Without a value, KEDA keeps the model servers.
        {"answer": None, "labels": 0, "ratio": 0, "requests": 0, "queue": 0.001, "offered": 64},
    ),
    "frames wait for the model": (consumers(**BUSY, answer=0.125, queue=(0.3, 0.6)), {"queue": 0.585}),
    "consumers have no time for all frames": (
        consumers(**BUSY, answer=0.125, frames=(0.6, 1.2), replaced=4),
        {"frames": 1.17},
    ),
    "frames come late, or the clocks disagree": (
        consumers(**BUSY, answer=0.125, frames=(2.5, 5), labels=(2.5, 5), replaced=0),
        {"frames": 0, "labels": 0},
    ),
    "two producers have seven cameras": (
        {
            'streamlens_cameras_captured{job="producer", instance="a"}': f"4x{LENGTH}",
            'streamlens_cameras_captured{job="producer", instance="b"}': f"3x{LENGTH}",
        },
        {"cameras": 7},
    ),
    "pages are open, and nobody watches a stream": (
        {'streamlens_sockets{job="video", instance="a"}': f"5x{LENGTH}"},
        {"viewers": 5},
    ),
    "somebody watches a stream": (
        {
            'streamlens_sockets{job="video", instance="a"}': f"5x{LENGTH}",
            'streamlens_stream_clients{job="video", instance="a", camera="door"}': f"2x{LENGTH}",
        },
        {"viewers": 7},
    ),
}


def cases() -> Iterator[dict[str, Any]]:
    """Yield promtool's test of each situation."""
    for name, (series, expected) in SITUATIONS.items():
        yield {
            "name": name,
            "interval": f"{EVERY}s",
            "input_series": [{"series": key, "values": values} for key, values in series.items()],
            "promql_expr_test": [
                {
                    # In thousandths, so that the last digits do not matter.
                    "expr": f"floor(1000 * ({QUERIES[trigger]}) + 0.5)",
                    "eval_time": "4m",
                    "exp_samples": [] if value is None else [{"labels": "{}", "value": round(1000 * value)}],
                }
                for trigger, value in expected.items()
            ],
        }


def test_the_triggers_see_what_they_should(promtool: str, tmp_path: Path) -> None:
    file = tmp_path / "triggers.yml"
    file.write_text(yaml.safe_dump({"evaluation_interval": f"{EVERY}s", "tests": list(cases())}))

    accepts(promtool, "test", "rules", file)


@pytest.mark.parametrize("trigger", sorted(QUERIES))
def test_each_trigger_is_tested_with_and_without_data(trigger: str) -> None:
    expected = [values[trigger] for _, values in SITUATIONS.values() if trigger in values]

    assert None in expected
    assert any(value is not None and value > 0 for value in expected)
