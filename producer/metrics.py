"""Metrics that are counted per camera."""

from typing import Final

from prometheus_client import Counter

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
