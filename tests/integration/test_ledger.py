"""The ledger's command on a real Kafka: all frames are accounted for, unless somebody takes one away."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Self

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from tests.integration.conftest import Pipeline
from tests.integration.sharing import Site
from tests.parts import ROOT, free_port, wait_for
from tests.producer.sources import videos

_NAMES: Final = [f"camera {number:02}" for number in range(16)]
_PARTITIONS: Final = 16


class Filter:
    """Hands the frames of one topic on to another, except those that are taken away."""

    def __init__(self, bootstrap: str, source: str, target: str) -> None:
        self._target = target
        self._unwanted: list[str] = []
        self._stopping = threading.Event()
        self._consumer = Consumer(
            {"bootstrap.servers": bootstrap, "group.id": f"filter-{source}", "fetch.wait.max.ms": 20}
        )
        self._consumer.assign([TopicPartition(source, number, 0) for number in range(_PARTITIONS)])
        self._producer = Producer({"bootstrap.servers": bootstrap})
        self._thread = threading.Thread(target=self._run, name="filter")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._consumer.close()

    def take_away(self, camera: str) -> None:
        """Take away the next frame of a camera."""
        self._unwanted.append(camera)
        wait_for(lambda: camera not in self._unwanted, 20, f"a frame of {camera}")

    def _run(self) -> None:
        while not self._stopping.is_set():
            for message in self._consumer.consume(500, 0.05):
                camera = (message.key() or b"").decode()
                if message.error() is not None:
                    continue
                if camera in self._unwanted:
                    self._unwanted.remove(camera)
                    continue
                self._producer.produce(
                    self._target,
                    message.value(),
                    message.key(),
                    partition=message.partition() or 0,
                    headers=message.headers(),
                )
                self._producer.poll(0)


@pytest.fixture
def site(kafka_bootstrap: str, tmp_path: Path) -> Iterator[Site]:
    """Sixteen cameras, and no producer yet."""
    images = [videos.grey(5 * number, 160, 120) for number in range(50)]
    film = videos.write(tmp_path / "small.mp4", images, rate=10)
    with ExitStack() as stack:
        site = Site(Pipeline(kafka_bootstrap, tmp_path, stack.enter_context), film, stack.enter_context)
        yield site
        site.topic.close()


def ask(site: Site, *options: str) -> tuple[int, dict[str, Any], str]:
    """Run the command; return its exit status, what it says as JSON, and its lines on standard error."""
    environment = {
        **os.environ,
        "KAFKAPORT": site.pipeline.bootstrap,
        "TOPICNAMESTATUS": site.pipeline.topic_status,
    }
    command = [sys.executable, "-m", "pipeline.ledger", "--json", *options]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout), done.stderr


def check(site: Site, what: str) -> dict[str, Any]:
    """Check that all frames are accounted for, and that each equation holds; return what was said."""
    status, said, lines = ask(site)
    assert status == 0, f"{what}: {lines}"
    assert [each["camera"] for each in said["cameras"]] == _NAMES, what
    for camera in said["cameras"]:
        for stage in camera["stages"]:
            left = stage["in"] + stage["twice"]
            right = stage["out"] + sum(stage["dropped"].values()) + stage["pending"]
            assert left == right, f"{what}: {camera['camera']}: {stage}"
    assert str(site.film) not in json.dumps(said) + lines
    return said


@pytest.mark.timeout(400)
def test_all_frames_are_accounted_for_through_kills_and_scaling(site: Site) -> None:
    site.put(*_NAMES)
    videos_ = [site.pipeline.video()]
    consumers = [site.pipeline.consumer(tag=f"-{number}") for number in range(2)]
    site.start(2)
    site.wait_until_shared()
    site.wait_until_all_move(_NAMES, time.time())
    wait_for(lambda: site.labelled.moves(_NAMES, time.time() - 1), 60, "labelled frames of all cameras")
    said = check(site, "at first")
    assert {stage["service"] for stage in said["cameras"][0]["stages"]} == {"producer", "consumer", "video"}

    consumers[0].kill()
    check(site, "at once after a consumer was killed")
    wait_for(lambda: site.labelled.moves(_NAMES, time.time() - 1), 60, "labelled frames of all cameras")
    check(site, "a consumer killed")
    consumers[0] = site.pipeline.consumer(tag="-2").ready(60)
    check(site, "a consumer added")
    site.kill(site.producers[0])
    check(site, "at once after a producer was killed")
    site.wait_until_shared()
    check(site, "a producer killed")
    site.start(2)
    check(site, "producers added")
    site.wait_until_shared()
    site.stop(site.producers[0])
    check(site, "a producer stopped")
    videos_.append(site.pipeline.video(DISPLAYPORT=f"127.0.0.1:{free_port()}").ready(60))
    consumers.append(site.pipeline.consumer(tag="-3").ready(60))
    said = check(site, "scaled up")
    assert [stage["service"] for stage in said["cameras"][0]["stages"]][2:] == ["video", "video"]
    videos_[0].kill()
    assert consumers[1].stop() == 0
    check(site, "a video server killed, a consumer stopped")


@pytest.mark.timeout(200)
def test_a_frame_that_is_taken_away_is_named(site: Site) -> None:
    names = ["camera 00", "yard: gate/left", "ünnamed"]
    with Filter(site.pipeline.bootstrap, site.pipeline.topic_in, site.pipeline.topic_out) as between:
        # The consumer reads what the filter leaves, and writes to a topic of its own.
        labelled = f"{site.pipeline.topic_out}-labelled"
        video = site.pipeline.video(TOPICNAME=labelled)
        consumer = site.pipeline.consumer(TOPICNAMEIN=site.pipeline.topic_out, TOPICNAMEOUT=labelled)
        site.put(*names)
        site.start(1)
        for service in (consumer.ready(60), video.ready(60)):
            wait_for(lambda: len(service.ledger()) == len(names), 60, "frames")  # noqa: B023
        time.sleep(5)  # until nobody has just begun to read
        status, _, lines = ask(site)
        assert status == 0, lines

        between.take_away(names[1])
        status, said, lines = ask(site)

    assert status == 1
    [line] = [line for line in lines.splitlines() if "camera" in line]
    assert line.startswith(f"ledger: camera {names[1]}: 1 frame of producer ")
    assert "did not reach consumer " in line
    differing = {
        (camera["camera"], stage["service"]): stage["difference"]
        for camera in said["cameras"]
        for stage in camera["stages"]
        if stage["difference"]
    }
    assert differing == {(names[1], "consumer"): 1}
