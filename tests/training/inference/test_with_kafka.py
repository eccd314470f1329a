"""Replicas as processes on a real Kafka: nothing is lost, nothing that was committed is answered again."""

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.parts import Service, wait_for
from tests.training.inference.servers import FakeServing

pytestmark = [pytest.mark.parts, pytest.mark.timeout(300)]


class Answered(NamedTuple):
    """An answer, in the order of the output topic."""

    number: int
    values: list[float]
    key: bytes | None
    headers: list[tuple[str, bytes]]


class Topics:
    """The topics and the group of one inference."""

    def __init__(self, bootstrap: str, partitions: int) -> None:
        self.bootstrap = bootstrap
        self.tag = uuid.uuid4().hex[:10]
        self.partitions = partitions
        self._admin = AdminClient({"bootstrap.servers": bootstrap})
        names = [NewTopic(f"{name}-{self.tag}", partitions, 1) for name in ("in", "out")]
        for made in self._admin.create_topics(names).values():
            made.result(30)
        self._producer = Producer({"bootstrap.servers": bootstrap})

    def close(self) -> None:
        self.delete(*(f"{name}-{self.tag}" for name in ("in", "out")))

    def delete(self, *names: str) -> None:
        for gone in self._admin.delete_topics([*names]).values():
            gone.result(30)

    def send(self, numbers: range, **options: Any) -> None:
        """Send rows whose sum is their number, which is also a header."""
        for number in numbers:
            self._producer.produce(
                f"in-{self.tag}",
                np.array([number, 0], np.float32).tobytes(),
                str(number % 7).encode(),
                partition=number % self.partitions,
                headers=[("number", str(number).encode()), ("camera", b"door")],
                **options,
            )
            self._producer.poll(0)
        assert self._producer.flush(60) == 0

    def send_bad(self, value: bytes) -> None:
        self._producer.produce(f"in-{self.tag}", value, partition=0)
        assert self._producer.flush(60) == 0

    def committed(self) -> list[int]:
        """Return the committed offset of each partition."""
        reader = Consumer({"bootstrap.servers": self.bootstrap, "group.id": f"group-{self.tag}"})
        places = [TopicPartition(f"in-{self.tag}", each) for each in range(self.partitions)]
        found = [max(0, each.offset) for each in reader.committed(places, timeout=30)]
        reader.close()
        return found

    def ends(self) -> list[int]:
        """Return the end of each partition of the output topic."""
        reader = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "look"})
        places = [TopicPartition(f"out-{self.tag}", each) for each in range(self.partitions)]
        found = [reader.get_watermark_offsets(each, timeout=30)[1] for each in places]
        reader.close()
        return found

    def answers(self, starts: list[int] | None = None) -> list[Answered]:
        """Return all answers, or those from certain offsets on."""
        ends = self.ends()
        starts = starts or [0] * self.partitions
        reader = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "look"})
        reader.assign([TopicPartition(f"out-{self.tag}", each, start) for each, start in enumerate(starts)])
        found = list[Answered]()
        while len(found) < sum(ends) - sum(starts):
            message = reader.poll(30)
            assert message is not None
            assert message.error() is None
            found.append(answered(message))
        reader.close()
        return found


def answered(message: Message) -> Answered:
    headers: Any = message.headers() or []
    values = json.loads(message.value() or b"")
    assert values.keys() == {"values"}
    return Answered(int(dict(headers)["number"]), values["values"], message.key(), headers)


@pytest.fixture
def topics(kafka_bootstrap: str) -> Iterator[Topics]:
    found = Topics(kafka_bootstrap, 1)
    yield found
    found.close()


@pytest.fixture
def shared(kafka_bootstrap: str) -> Iterator[Topics]:
    """Topics of four partitions."""
    found = Topics(kafka_bootstrap, 4)
    yield found
    found.close()


@pytest.fixture
def serving() -> Iterator[FakeServing]:
    with FakeServing() as found:
        yield found


def replica(topics: Topics, serving: FakeServing, folder: Path, tag: str = "", **changes: str) -> Service:
    environment = {
        "INPUT_BOOTSTRAP_SERVERS": topics.bootstrap,
        "OUTPUT_BOOTSTRAP_SERVERS": topics.bootstrap,
        "MODEL_URL": "http://127.0.0.1:9/results/model/1",
        "MODELSERVER": serving.url,
        "INPUT_FORMAT": "RAW",
        "INPUT_CONFIG": json.dumps({"data_type": "float32", "data_reshape": "2"}),
        "INPUT_TOPIC": f"in-{topics.tag}",
        "OUTPUT_TOPIC": f"out-{topics.tag}",
        "GROUP_ID": f"group-{topics.tag}",
        **changes,
    }
    return Service("training.inference", environment, folder, tag)


def test_answers_have_keys_and_headers_and_are_made_in_batches(
    topics: Topics, serving: FakeServing, tmp_path: Path
) -> None:
    topics.send(range(500))

    with replica(topics, serving, tmp_path, BATCH="64") as process:
        wait_for(lambda: sum(topics.ends()) >= 500, 60, "the answers")
        wait_for(lambda: topics.committed() == [500], 10, "the commit")
        assert process.metric("streamlens_inference_answers_total") == 500
        batches = process.metric("streamlens_inference_batches_total")
        assert process.stop() == 0, process.text

    found = topics.answers()
    assert sorted(each.number for each in found) == list(range(500))
    for each in found:
        assert each.values == [each.number]
        assert each.key == str(each.number % 7).encode()
        assert each.headers == [("number", str(each.number).encode()), ("camera", b"door")]
    assert batches == len(serving.sizes) <= 500 / 10
    assert max(serving.sizes) == 64
    assert sum(serving.sizes) == 500


@pytest.mark.parametrize("seed", [1, 2])
def test_after_a_kill_nothing_is_lost_and_nothing_committed_is_answered_again(
    topics: Topics, serving: FakeServing, tmp_path: Path, seed: int
) -> None:
    serving.delay = 0.03
    topics.send(range(600))

    with replica(topics, serving, tmp_path, BATCH="10") as process:
        wait_for(lambda: sum(topics.ends()) >= 150 + 50 * seed, 60, "some answers")
        process.kill()
    committed, ends = topics.committed(), topics.ends()
    assert 0 < committed[0] < 600

    with replica(topics, serving, tmp_path, "-again", BATCH="10") as process:
        wait_for(lambda: topics.committed() == [600], 60, "the rest")
        assert process.stop() == 0, process.text

    later = [each.number for each in topics.answers(ends)]
    assert min(later) >= committed[0]
    assert {each.number for each in topics.answers()} == set(range(600))
    # At most the batch that was not committed is answered twice.
    assert sum(topics.ends()) - 600 <= 10


def test_when_it_is_stopped_nothing_is_answered_twice(
    topics: Topics, serving: FakeServing, tmp_path: Path
) -> None:
    serving.delay = 0.03
    topics.send(range(400))

    for number in range(3):
        with replica(topics, serving, tmp_path, f"-{number}", BATCH="10") as process:
            wait_for(lambda: sum(topics.ends()) >= 100 * (number + 1), 60, "some answers")  # noqa: B023
            assert process.stop(8) == 0, process.text
    with replica(topics, serving, tmp_path, "-last", BATCH="10") as process:
        wait_for(lambda: topics.committed() == [400], 60, "the rest")
        assert process.stop(8) == 0, process.text

    assert sorted(each.number for each in topics.answers()) == list(range(400))


def test_replicas_share_the_partitions_and_take_over(
    shared: Topics, serving: FakeServing, tmp_path: Path
) -> None:
    with (
        replica(shared, serving, tmp_path, "-1") as first,
        replica(shared, serving, tmp_path, "-2") as second,
    ):
        for each in (first, second):
            wait_for(lambda: "reading 2 partitions" in each.text, 60, "a share of the partitions")  # noqa: B023
        shared.send(range(200))
        wait_for(lambda: sum(shared.committed()) == 200, 60, "the answers")
        counts = [each.metric("streamlens_inference_answers_total") for each in (first, second)]
        assert counts == [100, 100]

        second.kill()
        shared.send(range(200, 400))
        wait_for(lambda: sum(shared.committed()) == 400, 60, "the answers")

    assert {each.number for each in shared.answers()} == set(range(400))


def test_an_input_topic_is_created_with_a_partition_for_each_replica(
    topics: Topics, serving: FakeServing, tmp_path: Path
) -> None:
    name = f"new-{topics.tag}"
    settings = {"INPUT_TOPIC": name, "REPLICAS": "3"}
    with ExitStack() as stack:
        replicas = [
            stack.enter_context(replica(topics, serving, tmp_path, f"-{number}", **settings))
            for number in range(3)
        ]
        stack.callback(topics.delete, name)
        for each in replicas:
            wait_for(lambda: "reading 1 partitions" in each.text, 60, "a partition for each")  # noqa: B023
        assert not any("nothing to do" in each.text for each in replicas)


def test_bad_messages_are_skipped_with_a_reason(topics: Topics, serving: FakeServing, tmp_path: Path) -> None:
    topics.send(range(3))
    topics.send_bad(b"abc")
    topics.send_bad(np.array([1, np.nan], np.float32).tobytes())
    topics.send(range(3, 6))

    with replica(topics, serving, tmp_path) as process:
        wait_for(lambda: topics.committed() == [8], 60, "the end")
        assert process.metric('streamlens_inference_skipped_total{reason="value"}') == 2
        text = process.text

    assert (
        f"topic in-{topics.tag}, partition 0, offset 3: 3 bytes, expected 8: float32 of shape 2; skipped"
        in text
    )
    assert "offset 4: nan, expected numbers; skipped" in text
    assert sorted(each.number for each in topics.answers()) == list(range(6))


def test_two_inferences_do_not_share_their_input(
    topics: Topics, serving: FakeServing, tmp_path: Path
) -> None:
    topics.send(range(50))

    with (
        replica(topics, serving, tmp_path, "-1", GROUP_ID="one"),
        replica(topics, serving, tmp_path, "-2", GROUP_ID="two"),
    ):
        wait_for(lambda: sum(topics.ends()) >= 100, 60, "two answers for each message")

    assert sorted(each.number for each in topics.answers()) == sorted([*range(50), *range(50)])
