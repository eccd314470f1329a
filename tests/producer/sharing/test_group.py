"""Producers on librdkafka's mock broker."""

import time
from collections.abc import Iterator

import pytest

from compose.broker import Broker
from pipeline.kafka import topics
from producer.sharing import group as module
from producer.sharing.group import CameraGroup
from tests.clock import Clock
from tests.parts import wait_for

CAMERAS = ["a", "b", "c", "d"]


@pytest.fixture
def bootstrap(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(topics, "_ANSWER", 0.1)  # it cannot create topics on request
    with Broker({"members": 1}) as broker:
        yield broker.bootstrap


def member(bootstrap: str, name: str, group: str = "producer") -> CameraGroup:
    return CameraGroup(group, "cameras", name, beats="members", bootstrap=bootstrap, extra={})


def test_producers_share_the_cameras_until_one_leaves(bootstrap: str) -> None:
    one, other = member(bootstrap, "one"), member(bootstrap, "other")
    assert one.unready()

    def shares() -> list[int]:
        return [len(each.step(CAMERAS) or ()) for each in (one, other)]

    wait_for(lambda: shares() == [2, 2], 30, "two cameras for each")
    assert one.unready() is None
    assert (one.step(CAMERAS) or set()) | (other.step(CAMERAS) or set()) == set(CAMERAS)

    other.leave()
    wait_for(lambda: one.step(CAMERAS) == set(CAMERAS), 30, "all cameras for the first")
    for each in (one, other):
        each.close()


def test_groups_do_not_see_each_other(bootstrap: str) -> None:
    groups = [member(bootstrap, "one", "g"), member(bootstrap, "other", "h")]

    wait_for(lambda: all(each.step(CAMERAS) == set(CAMERAS) for each in groups), 30, "all cameras for both")
    for each in groups:
        each.close()


def test_producers_that_start_together_never_take_the_same_camera(bootstrap: str) -> None:
    groups = [member(bootstrap, name) for name in ("one", "two", "three")]
    shares: list[set[str]] = [set() for _ in groups]

    def step() -> bool:
        for number, each in enumerate(groups):
            share = each.step(CAMERAS)
            shares[number] = shares[number] if share is None else share
            assert sum(map(len, shares)) == len(set().union(*shares))
        return sorted(map(len, shares)) == [1, 1, 2]

    wait_for(step, 30, "each producer's share of the cameras")
    assert set().union(*shares) == set(CAMERAS)
    for each in groups:
        each.close()


def test_a_producer_notices_that_it_was_stopped(bootstrap: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one = member(bootstrap, "one")
    wait_for(lambda: one.step(CAMERAS) == set(CAMERAS), 30, "all cameras")
    assert one.is_awake

    clock = Clock(time.monotonic() + 10)
    with monkeypatch.context() as patch:
        patch.setattr(module, "time", clock)
        patch.setattr(one._group, "present", lambda **_: None)
        assert one.step(CAMERAS) is None
        assert not one.is_awake

    wait_for(lambda: one.step(CAMERAS) == set(CAMERAS), 30, "all cameras again")
    wait_for(lambda: one.step(CAMERAS) is not None and one.is_awake, 30, "it to be awake")
    one.close()
