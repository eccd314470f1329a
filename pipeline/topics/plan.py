"""What the services need a topic to be like."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from pipeline.cameras.settings import CamerasTopicSettings
from pipeline.kafka.topics import BEATS, COMPACTED, STATES
from pipeline.wire import largest

Content = Literal["frames", "states", "beats", "cameras", "logouts"]

_FRAMES: Final[Mapping[str, str]] = {
    "cleanup.policy": "delete",
    "retention.ms": "60000",
    # Kafka removes only closed segments, and by default closes one after a week.
    "segment.ms": "30000",
}


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A topic: the partitions and settings with which it is created, and what is checked.

    `message_bytes` is the size of the largest message that it must accept, or 0.
    """

    name: str
    content: Content
    partitions: int
    settings: Mapping[str, str]
    message_bytes: int = 0


def frames(name: str, partitions: int, pixels: int, frame_format: str = "jpeg") -> Plan:
    """Return the plan of a topic of frames with this many pixels at most.

    A new topic also accepts the original system's messages, which are larger.
    """
    largest_message = largest.mat_bytes(pixels)
    needed = largest_message if frame_format == "mat" else largest.jpeg_bytes(pixels)
    settings = {**_FRAMES, "max.message.bytes": str(largest_message)}
    return Plan(name, "frames", partitions, settings, needed)


def states(name: str) -> Plan:
    """Return the plan of the topic with the states of all services and cameras."""
    return Plan(name, "states", 1, STATES)


def beats(name: str) -> Plan:
    """Return the plan of the topic on which the members of groups beat."""
    return Plan(name, "beats", 1, BEATS)


def cameras(name: str) -> Plan:
    """Return the plan of the topic that lists the cameras."""
    return Plan(name, "cameras", 1, COMPACTED)


def listed(settings: CamerasTopicSettings) -> list[Plan]:
    """Return the plan of the topic that lists a service's cameras, if it follows one (`CAMERASTOPIC`)."""
    return [cameras(settings.camerastopic)] if settings.camerastopic else []


def logouts(name: str) -> Plan:
    """Return the plan of the topic with logouts."""
    return Plan(name, "logouts", 1, COMPACTED)
