"""From the topic to the captures."""

import time
from collections.abc import Collection, Mapping
from typing import Any, cast

import pytest
from prometheus_client import REGISTRY, CollectorRegistry

from pipeline.cameras.record import CameraRecord, RecordError
from pipeline.cameras.topic import CameraTopic
from pipeline.flow.ledger import Ledger
from producer import metrics
from producer.sharing import follower as module
from producer.sharing.captures import Captures, Wish
from producer.sharing.follower import Follower
from producer.sharing.group import CameraGroup
from producer.sharing.wishes import Wishes
from tests.clock import Clock

DOOR = CameraRecord(link="rtsp://door/")


class Kit:
    """A follower between fakes: the topic, the group, the wishes, the captures."""

    def __init__(self) -> None:
        self.is_read = True
        self.is_awake = True
        self.cameras: dict[str, CameraRecord | RecordError] = {"door": DOOR}
        self.share: set[str] | None = {"door"}
        self.asked: list[set[str]] = []
        self.followed: list[Mapping[str, Wish]] = []
        self.muted = 0
        self.forgotten: list[str] = []
        self.own_calls: list[bool] = []
        self.own_done = True
        self.ledger = Ledger()
        self.follower = Follower(
            cast("CameraTopic", self),
            cast("CameraGroup", self),
            wishes=cast("Wishes", self),
            captures=cast("Captures", self),
            ledger=self.ledger,
            own=self._own,
        )

    def step(self, cameras: Collection[str]) -> set[str] | None:
        self.asked.append(set(cameras))
        return self.share

    def of(self, name: str, record: Any) -> Wish:
        assert self.cameras[name] is record
        return "paused", name

    def keep(self, names: Collection[str]) -> None:
        self.kept = set(names)

    def follow(self, wishes: Mapping[str, Wish]) -> None:
        self.followed.append(wishes)

    def mute(self) -> None:
        self.muted += 1

    def numbered(self) -> set[str]:
        return {"door", "gone"}

    def forget(self, name: str) -> bool:
        self.forgotten.append(name)
        return True

    def unready(self) -> str | None:
        return None if self.is_read else "not read yet"

    def _own(self, final: bool) -> bool:
        self.own_calls.append(final)
        return self.own_done


def labels(registry: CollectorRegistry) -> set[str]:
    """Return the values of all labels."""
    samples = (sample for metric in registry.collect() for sample in metric.samples)
    return {value for sample in samples for value in sample.labels.values()}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(time.time())
    monkeypatch.setattr(module, "time", clock)
    return clock


def test_nothing_is_shared_before_the_topic_is_read(clock: Clock) -> None:
    kit = Kit()
    kit.is_read = False

    kit.follower.step()

    assert not kit.asked
    assert kit.follower.unready() == "not read yet"
    assert clock.now


def test_the_share_is_captured(clock: Clock) -> None:
    kit = Kit()
    kit.cameras["hall"] = RecordError("bad_value", "wrong")

    kit.follower.step()
    kit.share = None
    kit.follower.step()

    assert kit.asked == [{"door", "hall"}] * 2
    assert kit.followed == [{"door": ("paused", "door")}]
    assert clock.now


def test_a_preview_is_over_at_its_end(clock: Clock) -> None:
    kit = Kit()
    kit.cameras["preview-0123456789abcdef"] = DOOR.model_copy(update={"until": clock.now + 60})

    kit.follower.step()
    clock.now += 61
    kit.follower.step()

    assert kit.asked == [{"door", "preview-0123456789abcdef"}, {"door"}]


def test_a_producer_that_was_stopped_publishes_nothing_until_it_knows_its_share(clock: Clock) -> None:
    kit = Kit()
    kit.is_awake, kit.share = False, None

    kit.follower.step()

    assert kit.muted == 1
    assert not kit.followed
    assert clock.now


def test_removed_cameras_are_forgotten(clock: Clock) -> None:
    kit = Kit()
    for name in ("door", "away"):
        kit.ledger.came(name)

    kit.follower.step()
    kit.follower.step()

    assert sorted(kit.forgotten) == ["away", "gone"]
    assert kit.ledger.snapshot().keys() == {"door"}
    assert kit.kept == {"door"}
    assert clock.now


def test_no_metric_keeps_a_removed_camera(clock: Clock) -> None:
    kit, registry = Kit(), CollectorRegistry()
    registry.register(kit.ledger)
    for name in ("door", "away"):
        kit.ledger.came(name)
        kit.ledger.dropped(name, "not_due")
        metrics.IDENTICAL.labels(name).inc()
        metrics.RECONNECTS.labels(name).inc()
    assert "away" in labels(REGISTRY)
    assert "away" in labels(registry)

    kit.follower.step()

    for each in (REGISTRY, registry):
        assert "away" not in labels(each)
        assert "door" in labels(each)
    assert clock.now


def test_an_own_camera_is_written_once_but_does_not_wait_for_ever(clock: Clock) -> None:
    kit = Kit()
    kit.own_done = False
    kit.follower.step()
    clock.now += 6
    kit.follower.step()
    kit.own_done = True
    kit.follower.step()

    kit.follower.step()

    assert kit.own_calls == [False, True, True]
