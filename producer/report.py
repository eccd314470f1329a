"""What the producer reports about its camera."""

from collections.abc import Callable

from pipeline.kafka.reporter import Condition
from producer.camera import Camera


def condition(camera: Camera, *reasons: Callable[[], str | None], last: str | None = None) -> Condition:
    """Return the camera's state, and why none of its frames are published if one of `reasons` says so.

    `last` is how the last run ended, which is all that there is to say until the camera is open.
    """
    state, reason = camera.state()
    if state == "connecting":
        return state, last or reason
    if state == "live" and (reason := next(filter(None, (each() for each in reasons)), None)):
        return "no-signal", reason.removeprefix(f"camera {camera.name}: ")
    return state, reason
