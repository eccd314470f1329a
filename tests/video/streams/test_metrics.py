"""Metrics that are counted per camera, and go with it."""

import pytest
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from tests.parts import wait_for
from tests.video.fakes import Site, a_frame, by_length
from tests.video.test_forget import BIG, a_tab, forget
from video.streams import metrics

PER_CAMERA = [each for each in vars(metrics).values() if isinstance(each, MetricWrapperBase)]


def labels(registry: CollectorRegistry) -> set[str]:
    """Return the values of all labels."""
    samples = (sample for metric in registry.collect() for sample in metric.samples)
    return {value for sample in samples for value in sample.labels.values()}


@pytest.mark.parametrize("metric", PER_CAMERA, ids=lambda metric: metric.describe()[0].name)
def test_each_metric_drops_a_camera_that_is_gone(metric: MetricWrapperBase) -> None:
    for name in ("attic", "cellar"):
        metric.labels(name)

    metrics.CameraMetrics().gone("attic")

    assert "attic" not in labels(REGISTRY)
    assert "cellar" in labels(REGISTRY)
    metric.remove("cellar")


def test_a_camera_that_was_watched_leaves_no_series(site: Site) -> None:
    registry = CollectorRegistry()
    registry.register(site.ledger)
    site.show(*(a_frame(1, camera=name, jpeg=BIG) for name in ("attic", "cellar")))

    with a_tab(site, attic=64, cellar=0) as tab, site.ask("/stream/attic") as answer:
        next(by_length(answer, b"frame"))
        wait_for(lambda: isinstance(tab.recv(20), bytes), 20, "a picture")
        watched = labels(REGISTRY) & {"attic", "cellar"}, labels(registry) & {"attic", "cellar"}
        forget(site, "attic")
        answer.read()
        site.sync()

    assert watched == ({"attic", "cellar"},) * 2
    assert labels(REGISTRY) & {"attic", "cellar"} == {"cellar"}
    assert labels(registry) & {"attic", "cellar"} == {"cellar"}
