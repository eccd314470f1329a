"""Consumers share the cameras, and take over those of one that is gone."""

import signal
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, TopicPartition

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


@contextmanager
def outgoing(pipeline: Pipeline) -> Iterator[Callable[[], dict[str, list[int]]]]:
    """Yield a function that returns the numbers of the frames labelled since, by camera."""
    reader = Consumer({"bootstrap.servers": pipeline.bootstrap, "group.id": "look", "fetch.wait.max.ms": 5})
    partitions = reader.list_topics(pipeline.topic_out, timeout=10).topics[pipeline.topic_out].partitions

    def ends() -> list[TopicPartition]:
        places = [TopicPartition(pipeline.topic_out, number) for number in partitions]
        for place in places:
            place.offset = reader.get_watermark_offsets(place, 10)[1]
        return places

    def read() -> dict[str, list[int]]:
        seqs = defaultdict[str, list[int]](list)
        wanted = sum(place.offset for place in ends()) - begun
        for _ in range(wanted):
            message = reader.poll(10)
            assert message is not None
            headers: dict[str, Any] = dict(message.headers() or [])
            seqs[(message.key() or b"").decode()].append(int(headers["seq"]))
        return seqs

    begin = ends()
    begun = sum(place.offset for place in begin)
    reader.assign(begin)
    yield read
    reader.close()


def test_each_camera_is_labelled_by_one_consumer_and_moves_when_that_is_gone(
    pipeline: Pipeline, clips: Path
) -> None:
    pipeline.video()
    for name in CAMERAS:
        pipeline.producer(name, clips / "bikes.mp4")
    first, second = pipeline.consumer(tag="-1"), pipeline.consumer(tag="-2")
    wait_until_all_move(pipeline)

    def is_shared() -> bool:
        before = labelled([first, second])
        wait_until_all_move(pipeline)
        after = labelled([first, second])
        return all(
            sum(now > then for now, then in zip(after[name], before[name], strict=True)) == 1
            for name in CAMERAS
        )

    wait_for(is_shared, 40, "each camera to be labelled by one of the consumers")

    first.kill()
    wait_until_all_move(pipeline)
    third = pipeline.consumer(tag="-3")
    wait_until_all_move(pipeline)
    assert second.stop() == 0
    wait_until_all_move(pipeline)
    third.kill()
    pipeline.consumer(tag="-4")
    wait_until_all_move(pipeline)


def test_a_consumer_that_was_stopped_skips_what_has_waited(pipeline: Pipeline, clips: Path) -> None:
    pipeline.video()
    for name in CAMERAS:
        pipeline.producer(name, clips / "bikes.mp4")
    first, second = pipeline.consumer(tag="-1"), pipeline.consumer(tag="-2")
    for _ in range(3):
        wait_until_all_move(pipeline)

    first.signal(signal.SIGSTOP)
    stopped = {name: pipeline.camera(name)["seq"] for name in CAMERAS}
    wait_for(
        lambda: all(pipeline.camera(name)["seq"] > stopped[name] + 300 for name in CAMERAS),
        60,
        "the other consumer to take over",
    )
    with outgoing(pipeline) as frames:
        first.signal(signal.SIGCONT)
        wait_until_all_move(pipeline)
        wait_until_all_move(pipeline)
        seqs = frames()

    assert set(seqs) == set(CAMERAS)
    old = [seq for name in CAMERAS for seq in seqs[name] if seq < stopped[name] + 200]
    assert len(old) <= 2 * len(CAMERAS), "no more than those that it held when it was stopped"
    before = labelled([first, second])
    wait_until_all_move(pipeline)
    after = labelled([first, second])
    for name in CAMERAS:
        assert sum(now > then for now, then in zip(after[name], before[name], strict=True)) == 1
