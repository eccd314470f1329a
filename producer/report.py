"""What the producer reports about its camera."""

from collections.abc import Callable

from pipeline.kafka.reporter import Condition
from producer.camera import Camera


def condition(camera: Camera, *reasons: Callable[[], str | None]) -> Condition:
    """Return the camera's state, and why none of its frames are published if one of `reasons` says so."""
    state, reason = camera.state()
    if state == "live" and (reason := next(filter(None, (each() for each in reasons)), None)):
        return "no-signal", reason.removeprefix(f"camera {camera.name}: ")
    return state, reason
