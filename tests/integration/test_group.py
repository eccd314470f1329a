"""Consumers share the cameras, and take over those of one that is gone."""

from collections.abc import Sequence
from pathlib import Path

from tests.integration.conftest import Pipeline
from tests.parts import Service, wait_for

CAMERAS = ("a", "b", "c", "d")


def wait_until_all_move(pipeline: Pipeline) -> None:
    """Wait until each camera has shown ten more frames."""
    before = {name: pipeline.camera(name).get("seq", 0) for name in CAMERAS}
    wait_for(
        lambda: all(pipeline.camera(name).get("seq", 0) > before[name] + 10 for name in CAMERAS),
        40,
        "every camera to continue",
    )


def labelled(consumers: Sequence[Service]) -> dict[str, list[int]]:
    """Return how many frames of each camera each consumer has labelled."""
    counts = [consumer.ledger() for consumer in consumers]
    return {name: [count.get(name, {}).get("out", 0) for count in counts] for name in CAMERAS}


def test_each_camera_is_labelled_by_one_consumer_and_moves_when_that_is_gone(
    pipeline: Pipeline, clips: Path
) -> None:
    pipeline.video()
    for name in CAMERAS:
        pipeline.producer(name, clips / "bikes.mp4")
    first, second = pipeline.consumer(tag="-1"), pipeline.consumer(tag="-2")
    wait_until_all_move(pipeline)
    wait_until_all_move(pipeline)  # by then they have found each other

    before = labelled([first, second])
    wait_until_all_move(pipeline)
    after = labelled([first, second])
    for name in CAMERAS:
        assert sum(now > then for now, then in zip(after[name], before[name], strict=True)) == 1

    first.kill()
    wait_until_all_move(pipeline)
    third = pipeline.consumer(tag="-3")
    wait_until_all_move(pipeline)
    assert second.stop() == 0
    wait_until_all_move(pipeline)
    third.kill()
    pipeline.consumer(tag="-4")
    wait_until_all_move(pipeline)
