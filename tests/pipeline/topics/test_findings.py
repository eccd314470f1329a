"""What is reported about a topic that does not fit."""

import pytest

from pipeline.topics import plan
from pipeline.topics.findings import Found, findings
from pipeline.topics.plan import Plan

FRAMES = plan.frames("videocam", 8, 16_000_000)
GOOD = {"max.message.bytes": "64262144", "retention.ms": "60000", "cleanup.policy": "delete"}
CONFIGS = "kafka-configs.sh --bootstrap-server kafka:9092 --alter --entity-type topics --entity-name"


def lines(expected: Plan, settings: dict[str, str] | None, replicas: int = 1) -> list[str]:
    return findings(expected, Found(8, replicas, settings), "kafka:9092")


@pytest.mark.parametrize(
    ("expected", "settings"),
    [
        (FRAMES, GOOD),
        (FRAMES, {**GOOD, "max.message.bytes": "32262144"}),
        (FRAMES, {**GOOD, "retention.ms": "3600000"}),
        (FRAMES, {**GOOD, "retention.ms": "-1", "retention.bytes": "1000000000"}),
        (FRAMES, {**GOOD, "cleanup.policy": "compact,delete"}),
        (FRAMES, {**GOOD, "max.message.bytes": "many"}),
        (FRAMES, {}),
        (FRAMES, None),
        (plan.states("status"), {"cleanup.policy": "compact"}),
        (plan.states("status"), {"cleanup.policy": "compact,delete"}),
        (plan.cameras("cameras"), {"cleanup.policy": "compact", "min.insync.replicas": "1"}),
        (plan.logouts("logouts"), {"cleanup.policy": "compact,delete"}),
        (plan.beats("members"), {"cleanup.policy": "delete", "retention.ms": "604800000"}),
    ],
)
def test_nothing_is_reported_about_a_topic_that_fits(expected: Plan, settings: dict[str, str] | None) -> None:
    assert lines(expected, settings) == []


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        (
            {"max.message.bytes": "1048588"},
            "topic videocam accepts messages of 1048588 bytes, expected 32262144 for the largest frame of"
            f" MAXPIXELS pixels: {CONFIGS} videocam --add-config max.message.bytes=32262144",
        ),
        (
            {"retention.ms": "604800000"},
            "topic videocam keeps frames for 7 days, which fills the disk, expected a minute:"
            f" {CONFIGS} videocam --add-config retention.ms=60000,segment.ms=30000",
        ),
        (
            {"retention.ms": "43200000"},
            "topic videocam keeps frames for 12 hours, which fills the disk, expected a minute:"
            f" {CONFIGS} videocam --add-config retention.ms=60000,segment.ms=30000",
        ),
        (
            {"retention.ms": "-1", "retention.bytes": "-1"},
            "topic videocam keeps frames without a limit, which fills the disk, expected a minute:"
            f" {CONFIGS} videocam --add-config retention.ms=60000,segment.ms=30000",
        ),
        (
            {"cleanup.policy": "compact"},
            "topic videocam has cleanup.policy=compact, which keeps old frames, expected delete:"
            f" {CONFIGS} videocam --add-config cleanup.policy=delete",
        ),
    ],
)
def test_a_topic_of_frames_that_does_not_fit_is_reported(setting: dict[str, str], says: str) -> None:
    assert lines(FRAMES, {**GOOD, **setting}) == [says]


def test_each_difference_has_a_line() -> None:
    assert len(lines(FRAMES, {"max.message.bytes": "1048588", "retention.ms": "-1"})) == 2


def test_the_original_systems_messages_need_more_room() -> None:
    (line,) = lines(plan.frames("videocam", 8, 16_000_000, "mat"), {**GOOD, "max.message.bytes": "32262144"})

    assert "expected 64262144" in line


def test_records_that_are_not_compacted_are_reported() -> None:
    (line,) = lines(plan.states("status"), {"cleanup.policy": "delete"})
    assert line == (
        "topic status has cleanup.policy=delete, which loses or piles up records, expected compact,delete:"
        f" {CONFIGS} status --add-config cleanup.policy=[compact,delete],retention.ms=600000,"
        "segment.ms=60000,message.timestamp.type=LogAppendTime"
    )

    for expected in (plan.cameras("cameras"), plan.logouts("logouts")):
        (line,) = lines(expected, {"cleanup.policy": "delete"})
        assert line.endswith("--add-config cleanup.policy=compact,segment.ms=3600000")


def test_a_retention_of_cameras_is_reported() -> None:
    (line,) = lines(plan.cameras("cameras"), {"cleanup.policy": "compact,delete"})

    assert line == (
        "topic cameras has cleanup.policy=compact,delete, which removes cameras after a time, expected"
        f" compact: {CONFIGS} cameras --add-config cleanup.policy=compact"
    )


def test_too_few_replicas_for_records_are_reported() -> None:
    settings = {"cleanup.policy": "compact", "min.insync.replicas": "2"}

    (line,) = lines(plan.cameras("cameras"), settings, replicas=1)

    assert line.startswith(
        "topic cameras has 1 replicas and min.insync.replicas=2, so nothing can be written"
    )
    assert lines(plan.cameras("cameras"), settings, replicas=3) == []
    # Frames are acknowledged by one broker.
    assert lines(FRAMES, {**GOOD, "min.insync.replicas": "2"}, replicas=1) == []
