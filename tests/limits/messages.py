"""Limits on messages from Kafka."""

from typing import Final

from tests.limits.limit import Limit

LIMITS: Final = (
    Limit("a camera's name", "pipeline.wire.frame.LONGEST_NAME", "characters", "frame skipped: `bad_key`"),
    Limit(
        "cameras at a time",
        "consumer.settings.ConsumerSettings.maxcameras",
        "",
        "frame skipped: `too_many_cameras`",
    ),
)

OURS: Final = frozenset(
    [
        "compose.job._MOST_RESTARTS",
        "compose.process._LONGEST_LINE",
        "consumer.labeller._LONGEST_WAIT",
        "consumer.labeller._MOST_READ",
        "consumer.stamp.lettering._LONGEST",
        "consumer.stamp.lettering._MOST_KEPT",
        "consumer.stamp.scan._LONGEST",
        "pipeline.flow.patience.LONGEST",
        "pipeline.kafka.clients._LARGEST_MESSAGE",
        "pipeline.service.settings._LONGEST_TOPIC",
        "pipeline.service.workers.MOST_RESTARTS",
        "pipeline.wire.jpeg.LONGEST_HEAD",
        "pipeline.wire.jpeg.LONGEST_SIDE",
        "pipeline.wire.jpeg.MOST_PIXELS",
        "pipeline.wire.jpeg._LONGEST_SEARCH",
        "pipeline.wire.mat.LONGEST_SIDE",
        "pipeline.wire.status._LONGEST_KEY",
        "pipeline.wire.status._LONGEST_REASON",
        "pipeline.wire.status._LONGEST_VALUE",
        "video.cameras.cameras._MOST_REPORTS",
        "video.cameras.history._LONGEST_LABEL",
        "video.cameras.history._MOST_FORGOTTEN",
        "video.cameras.reports._MOST_CONSUMERS",
    ]
)
"""Constants that bound our own work, and nothing that comes from outside."""
