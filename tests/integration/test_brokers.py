"""Brokers of a real Kafka are killed, restarted and paused; no service is."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cluster import Cluster
from tests.integration.conftest import Pipeline
from tests.integration.test_group import CAMERAS, wait_until_all_move
from tests.parts import Service


class Site:
    """A pipeline with two consumers on brokers that can be killed."""

    def __init__(self, kafka: Cluster, folder: Path, clips: Path, stack: ExitStack) -> None:
        self.kafka = kafka
        self.pipeline = Pipeline(kafka.bootstrap, folder, stack.enter_context)
        self.services: list[Service] = [self.pipeline.video()]
        self.services += [self.pipeline.consumer(tag=f"-{number}") for number in (1, 2)]
        self.services += [self.pipeline.producer(name, clips / "bikes.mp4") for name in CAMERAS]
        self.continues()

    def continues(self) -> None:
        """Wait until all cameras show new frames."""
        wait_until_all_move(self.pipeline)

    def end(self) -> None:
        """End all services in an orderly way; none has failed."""
        assert [service.stop() for service in self.services] == [0] * len(self.services)
        assert not any("Traceback" in service.text for service in self.services)


Start = Callable[[Cluster], Site]


@pytest.fixture
def start(tmp_path: Path, clips: Path) -> Iterator[Start]:
    """Return a function that starts a pipeline."""
    with ExitStack() as stack:
        yield lambda kafka: Site(kafka, tmp_path, clips, stack)


def test_frames_flow_again_after_the_only_broker_was_killed_or_paused(
    only_broker: Cluster, start: Start
) -> None:
    site = start(only_broker)

    only_broker.kill(1)
    only_broker.restart(1)
    site.continues()
    only_broker.pause(1)
    only_broker.resume(1)
    site.continues()

    site.end()


def test_any_of_three_brokers_can_be_killed(three_brokers: Cluster, start: Start) -> None:
    site = start(three_brokers)

    for number in (1, 2, 3):
        three_brokers.wait_in_sync((site.pipeline.topic_in, site.pipeline.topic_out, "members"))
        three_brokers.kill(number)
        site.continues()
        three_brokers.restart(number)
        site.continues()

    site.end()
