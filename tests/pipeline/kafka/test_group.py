"""Members of a group on librdkafka's mock broker."""

from collections.abc import Iterator

import pytest

from compose.broker import Broker
from pipeline.flow.ledger import Ledger
from pipeline.kafka import clients, topics
from pipeline.kafka.group import Group
from pipeline.kafka.reader import Reader
from tests.parts import wait_for


@pytest.fixture
def bootstrap(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(topics, "_ANSWER", 0.1)  # it cannot create topics on request
    with Broker({"videocam": 4}) as broker:
        yield broker.bootstrap


def member(bootstrap: str, name: str, group: str = "g") -> Reader:
    return Reader(
        clients.consumer(bootstrap, group, 0.005, {}),
        "videocam",
        lambda *_: None,
        Ledger(),
        most_cameras=2,
        group=Group(group, "videocam", name, beats="members", bootstrap=bootstrap, extra={}),
    )


def read(reader: Reader) -> set[int]:
    return reader._partitions


def test_members_share_the_partitions_until_one_leaves(bootstrap: str) -> None:
    one, other = member(bootstrap, "one"), member(bootstrap, "other")

    def shares(*sizes: int) -> bool:
        for reader in (one, other):
            reader.step(0.01)
        return (len(read(one)), len(read(other))) == sizes

    wait_for(lambda: shares(2, 2), 20, "two partitions for each")
    assert read(one) | read(other) == {0, 1, 2, 3}

    other.close()
    wait_for(lambda: not one.step(0.01) and len(read(one)) == 4, 20, "all partitions for the first")
    one.close()


def test_a_member_without_a_partition_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(topics, "_ANSWER", 0.1)
    with Broker({"videocam": 1}) as broker:
        one, other = member(broker.bootstrap, "one"), member(broker.bootstrap, "other")

        def idle() -> list[str]:
            for reader in (one, other):
                reader.step(0.01)
            return [line for reader in (one, other) if (line := reader.surplus())]

        lines = wait_for(idle, 30, "a member without a partition")
        one.close()
        other.close()

    assert lines == [
        "topic videocam has 1 partitions for the 2 members of group g, so this one has nothing to do: run"
        f" fewer, or kafka-topics.sh --bootstrap-server {broker.bootstrap} --alter --topic videocam"
        " --partitions 2"
    ]
    assert lines[0] in caplog.messages


def test_groups_do_not_see_each_other(bootstrap: str) -> None:
    readers = [member(bootstrap, "one", group="g"), member(bootstrap, "other", group="h")]

    def shares() -> list[int]:
        for reader in readers:
            reader.step(0.01)
        return [len(read(reader)) for reader in readers]

    wait_for(lambda: shares() == [4, 4], 20, "all partitions for both")
    for _ in range(100):
        assert shares() == [4, 4]
    for reader in readers:
        reader.close()
