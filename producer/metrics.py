"""Metrics that are counted per camera."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from prometheus_client import Counter
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pipeline.cameras.record import PREVIEW
from pipeline.wire.status import State

IDENTICAL: Final = Counter(
    "streamlens_identical_frames", "Frames that equal the frame before, byte for byte", ["camera"]
)
RECONNECTS: Final = Counter(
    "streamlens_camera_reconnects", "Times a camera was opened again after it was lost", ["camera"]
)


def forget(camera: str) -> None:
    """Remove a camera's samples, once nothing captures it any more."""
    for metric in (IDENTICAL, RECONNECTS):
        metric.remove(camera)


class CamerasUp(Collector):
    """Exports whether cameras deliver; `states` returns those of the cameras that there are now.

    Paused cameras have no sample, and neither have previews, which end by themselves.
    """

    def __init__(self, states: Callable[[], Mapping[str, State]]) -> None:
        self._states = states

    def collect(self) -> Iterator[Metric]:
        """Yield the gauge for Prometheus."""
        up = GaugeMetricFamily("streamlens_camera_up", "Whether a camera delivers frames", labels=["camera"])
        for camera, state in self._states().items():
            if state != "paused" and not camera.startswith(PREVIEW):
                up.add_metric([camera], float(state == "live"))
        yield up
